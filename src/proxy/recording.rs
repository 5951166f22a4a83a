//! From what passed to its place on the tape.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use super::endpoint::microseconds;
use crate::{
    protocol::Operation,
    tape::{
        Actor, BodyRecord, Exchange, FailureKind, LegFacts, Party, Redactor, RelayFacts, RelayTimes,
        RequestRecord, ResponseRecord, ScenarioNumber, TransportFailure, Vantage,
    },
    wire::conversation::{Draft, Message},
};

/// What all exchanges of a connection share.
pub struct Scope {
    pub redactor: Redactor,
    pub origin: Arc<str>,
    pub host_replaced_by: Option<String>,
    pub connection: u64,
    pub product: LegFacts,
    pub endpoint: Option<LegFacts>,
}

/// Why an exchange is not whole.
#[derive(Debug, Clone)]
pub struct Break {
    pub by: Party,
    pub failure: TransportFailure,
}

impl Scope {
    /// The exchange as it goes on the tape. `broken` says why it is not whole.
    pub fn exchange(&self, draft: Draft, broken: Option<&Break>) -> Exchange {
        let redactor = &self.redactor;
        let timings = draft.timings();
        let relay = RelayFacts {
            connection: self.connection,
            position: draft.number,
            product: self.product.peer,
            product_tls: self.product.tls.clone(),
            host_replaced_by: self.host_replaced_by.clone(),
            times: times(&draft),
            broken_off_by: broken.map(|broken| broken.by),
            notes: notes(&draft),
            interim: draft.interim,
        };
        let (request, raw_request) = split(draft.request);
        let token_fault = redactor.token_fault(&raw_request);
        let (head, token) = redactor.request_head(&raw_request);
        let operation = Operation::called(&head.method, &head.target);
        let response = draft.response.map(|response| ResponseRecord {
            head: redactor.response_head(&response.head),
            body: response.body.finish(redactor),
        });
        let failure = broken.map(|broken| TransportFailure {
            detail: redactor.text(&broken.failure.detail),
            ..broken.failure.clone()
        });
        let failure = failure.or_else(|| response.is_none().then(untold));
        Exchange {
            scenario: ScenarioNumber(0),
            actor: Actor::Product,
            vantage: Vantage::Proxy,
            origin: self.origin.to_string(),
            peer: self.peer(),
            operation,
            request: RequestRecord {
                head,
                body: request.map_or_else(BodyRecord::empty, |request| request.body.finish(redactor)),
            },
            response,
            failure,
            started_at: draft.began.utc,
            timings,
            tls: self.endpoint.as_ref().and_then(|leg| leg.tls.clone()),
            token,
            token_fault,
            relay: Some(Arc::new(relay)),
        }
    }

    fn peer(&self) -> Option<SocketAddr> {
        self.endpoint.as_ref().map(|leg| leg.peer)
    }
}

/// Of a call whose answer may have come, among bytes that cannot be told apart.
fn untold() -> TransportFailure {
    TransportFailure {
        kind: FailureKind::NotHttp,
        detail:
            "an earlier answer on this connection cannot be read, so what was answered here cannot be told"
                .to_owned(),
    }
}

fn split(message: Option<Message>) -> (Option<Message>, Vec<u8>) {
    match message {
        Some(mut message) => {
            let head = std::mem::take(&mut message.head);
            (Some(message), head)
        }
        None => (None, Vec::new()),
    }
}

fn times(draft: &Draft) -> RelayTimes {
    let began = draft.began.instant;
    let after = |at: Option<Instant>| at.map(|at| microseconds(at.saturating_duration_since(began)));
    let (request, response) = (draft.request.as_ref(), draft.response.as_ref());
    RelayTimes {
        request_came_us: after(request.and_then(|request| request.came.last)),
        request_out_first_us: after(request.and_then(|request| request.out.first)),
        request_out_us: after(request.and_then(|request| request.out.last)),
        response_came_first_us: after(response.and_then(|response| response.came.first)),
        response_came_us: after(response.and_then(|response| response.came.last)),
        response_out_first_us: after(response.and_then(|response| response.out.first)),
        response_out_us: after(response.and_then(|response| response.out.last)),
    }
}

fn notes(draft: &Draft) -> Vec<String> {
    let mut notes = Vec::new();
    if draft.request.is_none() {
        notes.push("this response came without a request".to_owned());
    }
    for (name, message) in [("request", &draft.request), ("response", &draft.response)] {
        let Some(message) = message else { continue };
        if let Some(why) = message.unreadable {
            notes.push(format!(
                "the {name} cannot be read: {why}; what followed on the connection in this direction stands as its body"
            ));
        } else if !message.is_whole {
            notes.push(format!("the {name} is not whole"));
        }
        if message.has_both_lengths() {
            notes
                .push(format!("the {name} has both Content-Length and Transfer-Encoding; the latter counts"));
        }
    }
    notes
}
