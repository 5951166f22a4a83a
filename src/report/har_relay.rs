//! What the HAR says of an exchange that a proxy saw: the leg to the product. Its other fields are about the
//! leg to the endpoint.

use serde::Serialize;

use super::har_own::{Tls, tls};
use crate::tape::{Party, RelayFacts, RelayTimes};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Relay<'a> {
    connection: u64,
    position: u64,
    product: String,
    product_tls: Option<Tls<'a>>,
    /// What the endpoint got as `Host`; the request's headers are those that the product sent.
    host_replaced_by: Option<&'a str>,
    interim: &'a [u16],
    times: Times,
    broken_off_by: Option<&'static str>,
    notes: &'a [String],
}

/// In microseconds after the first byte of the request came.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Times {
    request_came: Option<u64>,
    request_out_first: Option<u64>,
    request_out: Option<u64>,
    response_came_first: Option<u64>,
    response_came: Option<u64>,
    response_out_first: Option<u64>,
    response_out: Option<u64>,
}

impl<'a> Relay<'a> {
    pub(super) fn of(facts: &'a RelayFacts) -> Self {
        Self {
            connection: facts.connection,
            position: facts.position,
            product: facts.product.to_string(),
            product_tls: facts.product_tls.as_deref().map(tls),
            host_replaced_by: facts.host_replaced_by.as_deref(),
            interim: &facts.interim,
            times: times(facts.times),
            broken_off_by: facts.broken_off_by.map(|party| match party {
                Party::Product => "product",
                Party::Endpoint => "endpoint",
                Party::Proxy => "proxy",
            }),
            notes: &facts.notes,
        }
    }
}

fn times(of: RelayTimes) -> Times {
    Times {
        request_came: of.request_came_us,
        request_out_first: of.request_out_first_us,
        request_out: of.request_out_us,
        response_came_first: of.response_came_first_us,
        response_came: of.response_came_us,
        response_out_first: of.response_out_first_us,
        response_out: of.response_out_us,
    }
}
