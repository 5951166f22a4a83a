//! A product that is asked by an HTTP call to its test hook. The hook is sent no secret: whoever
//! stands behind it has been given mailbox password and shared key beforehand.

use std::{
    fmt,
    time::{Duration, Instant},
};

use reqwest::{Client, Response, Url, header::CONTENT_TYPE, redirect::Policy};
use serde_json::{Map, Value};
use thiserror::Error;

use super::{Said, order::Order};
use crate::{product::AskError, tape::Redactor};

/// How much of an answer is kept, in bytes.
const KEPT: usize = 64 * 1024;

/// Where a hook is: https, or http on this machine. Shown, it is scheme, host and port: what follows may be a secret,
/// for some hooks the only one.
#[derive(Clone, PartialEq, Eq)]
pub struct HookUrl(Url);

/// Why a text is no place for a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HookUrlError {
    /// Not a URL.
    #[error("is no URL")]
    NoUrl,
    /// Another scheme, or http beyond this machine.
    #[error("is neither https nor http on this machine")]
    Scheme,
    /// A secret would stand in the report.
    #[error("has a user name or password in it")]
    UserInfo,
}

impl HookUrl {
    /// Reads it.
    ///
    /// # Errors
    /// [`HookUrlError`].
    pub fn parse(text: &str) -> Result<Self, HookUrlError> {
        let url = Url::parse(text).map_err(|_| HookUrlError::NoUrl)?;
        let host = url.host_str().unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
        let here = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
        match url.scheme() {
            _ if !url.username().is_empty() || url.password().is_some() => Err(HookUrlError::UserInfo),
            "https" => Ok(Self(url)),
            "http" if here => Ok(Self(url)),
            _ => Err(HookUrlError::Scheme),
        }
    }
}

impl fmt::Display for HookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(url) = self;
        let is_all = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        f.write_str(&url.origin().ascii_serialization())?;
        f.write_str(if is_all { "" } else { "/[not shown]" })
    }
}

impl fmt::Debug for HookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HookUrl({self})")
    }
}

/// A client for hooks. It trusts whom this machine trusts.
pub fn client() -> Result<Client, reqwest::Error> {
    // Whoever has installed one before is welcome.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Client::builder().redirect(Policy::none()).no_proxy().build()
}

/// Calls the hook for one action.
pub async fn call(
    client: &Client,
    url: &HookUrl,
    limit: Duration,
    order: &Order,
    redactor: &Redactor,
) -> Result<Said, AskError> {
    let body = body(order);
    let began = Instant::now();
    let request = client.post(url.0.clone()).timeout(limit).header(CONTENT_TYPE, "application/json");
    let answered = match request.body(body.to_string()).send().await {
        Ok(response) => read(response).await,
        Err(error) => Err(error),
    };
    // It would tell the whole of it.
    let answered = answered.map_err(reqwest::Error::without_url);
    let seconds = began.elapsed().as_secs_f64();
    let (succeeded, how, answer) = match answered {
        Ok((status, answer)) => (
            status.is_success(),
            format!("the hook answered {} after {seconds:.2} s", status.as_u16()),
            answer,
        ),
        Err(error) if error.is_connect() || error.is_builder() => {
            return Err(AskError::Configuration(format!(
                "product.driver.webhook: {url} cannot be reached: {}",
                redactor.text(&chain(&error))
            )));
        }
        Err(error) if error.is_timeout() => (
            false,
            format!("the hook did not answer within its time limit of {} s", limit.as_secs()),
            Vec::new(),
        ),
        Err(error) => {
            (false, format!("the hook did not answer: {}", redactor.text(&chain(&error))), Vec::new())
        }
    };
    let answer = super::lines(&redactor.output(&answer, answer.len() == KEPT));
    let sent = redactor.text(&format!("{body:#}"));
    let output = Some(format!("POST {url}\n{how}\n--- sent\n{sent}\n--- answer\n{answer}\n"));
    Ok(Said { succeeded: Some(succeeded), how, output, ..Said::default() })
}

/// `{"action": "send", "url": …, "recipient_id": …}`: the names of the variables without `MESH_`, in
/// lower case, and no secret.
fn body(order: &Order) -> Value {
    let mut fields = Map::new();
    fields.insert("action".to_owned(), order.action.word().into());
    for (name, value) in order.open() {
        let name = name.trim_start_matches("MESH_").to_ascii_lowercase();
        fields.insert(name, value.into());
    }
    Value::Object(fields)
}

async fn read(mut response: Response) -> Result<(reqwest::StatusCode, Vec<u8>), reqwest::Error> {
    let mut kept = Vec::new();
    while kept.len() < KEPT {
        let Some(piece) = response.chunk().await? else { break };
        let room = KEPT.saturating_sub(kept.len()).min(piece.len());
        kept.extend_from_slice(piece.get(..room).unwrap_or_default());
    }
    Ok((response.status(), kept))
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_secret_is_not_shown() {
        for (url, shown) in [
            ("https://product.example", "https://product.example"),
            ("https://product.example:8443/T0/hunter2", "https://product.example:8443/[not shown]"),
            ("http://127.0.0.1:9000/?key=hunter2", "http://127.0.0.1:9000/[not shown]"),
            ("https://product.example/#hunter2", "https://product.example/[not shown]"),
        ] {
            let hook = HookUrl::parse(url).unwrap();
            assert_eq!(
                (hook.to_string(), format!("{hook:?}")),
                (shown.to_owned(), format!("HookUrl({shown})"))
            );
        }
    }

    #[tokio::test]
    async fn nor_is_it_where_nobody_answers() {
        let hook = HookUrl::parse("http://127.0.0.1:1/hunter2?x=hunter2").unwrap();
        let error = client().unwrap().post(hook.0).send().await.unwrap_err().without_url();
        assert!(!chain(&error).contains("hunter2"), "{}", chain(&error));
    }

    #[test]
    fn a_hook_is_on_https_or_on_this_machine() {
        for good in [
            "https://product.example/test/hook?x=1",
            "http://127.0.0.1:9000/hook",
            "http://localhost/h",
            "http://[::1]:1/",
        ] {
            assert!(HookUrl::parse(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("product.example/hook", HookUrlError::NoUrl),
            ("http://product.example/hook", HookUrlError::Scheme),
            ("http://localhost.example/hook", HookUrlError::Scheme),
            ("ftp://localhost/hook", HookUrlError::Scheme),
            ("https://me:secret@product.example/hook", HookUrlError::UserInfo),
        ] {
            assert_eq!(HookUrl::parse(bad), Err(why), "{bad}");
        }
    }
}
