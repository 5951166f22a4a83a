//! The parts of HAR 1.2 that are needed, each of which may be missing or of another type.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use super::{content::Text, own};

/// Reads a value, or takes the default when it is of another type.
pub(super) fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    from: D,
) -> Result<T, D::Error> {
    Ok(T::deserialize(Value::deserialize(from)?).unwrap_or_default())
}

/// Reads a list, `None` for what in it is of another type; `None` when it is no list.
pub(super) fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    from: D,
) -> Result<Option<Vec<Option<T>>>, D::Error> {
    let Value::Array(values) = Value::deserialize(from)? else { return Ok(None) };
    Ok(Some(values.into_iter().map(|value| T::deserialize(value).ok()).collect()))
}

/// Reads a number that some programs write as text; `None` when it is neither, or negative.
pub(super) fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    let number = match Value::deserialize(from)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    Ok(number.filter(|number: &f64| number.is_finite() && *number >= 0.0))
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Entry {
    #[serde(deserialize_with = "lenient")]
    pub started_date_time: Option<String>,
    #[serde(deserialize_with = "number")]
    pub time: Option<f64>,
    #[serde(deserialize_with = "lenient")]
    pub request: Option<Request>,
    #[serde(deserialize_with = "lenient")]
    pub response: Option<Response>,
    #[serde(deserialize_with = "lenient")]
    pub timings: Timings,
    #[serde(rename = "serverIPAddress", deserialize_with = "lenient")]
    pub server_ip_address: Option<String>,
    #[serde(flatten)]
    pub own: own::Own,
}

impl Entry {
    /// The number that mesh-witness gave the exchange.
    pub fn own_number(&self) -> Option<usize> {
        self.own.number
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Request {
    #[serde(deserialize_with = "lenient")]
    pub method: String,
    #[serde(deserialize_with = "lenient")]
    pub url: String,
    #[serde(deserialize_with = "lenient")]
    pub http_version: String,
    #[serde(deserialize_with = "list")]
    pub headers: Option<Vec<Option<Pair>>>,
    #[serde(deserialize_with = "lenient")]
    pub post_data: Option<Text>,
    #[serde(deserialize_with = "number")]
    pub body_size: Option<f64>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Response {
    #[serde(deserialize_with = "number")]
    pub status: Option<f64>,
    #[serde(deserialize_with = "lenient")]
    pub status_text: String,
    #[serde(deserialize_with = "lenient")]
    pub http_version: String,
    #[serde(deserialize_with = "list")]
    pub headers: Option<Vec<Option<Pair>>>,
    #[serde(deserialize_with = "lenient")]
    pub content: Option<Text>,
    #[serde(deserialize_with = "number")]
    pub body_size: Option<f64>,
}

#[derive(Deserialize)]
pub(super) struct Pair {
    #[serde(deserialize_with = "lenient")]
    pub name: String,
    #[serde(default, deserialize_with = "lenient")]
    pub value: String,
}

/// Milliseconds.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Timings {
    #[serde(deserialize_with = "number")]
    pub blocked: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub dns: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub connect: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub ssl: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub send: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub wait: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub receive: Option<f64>,
}
