//! A client that calls whatever it is told to, right or wrong: for judging an endpoint.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use http_body_util::{BodyExt, Full};

use super::{
    Payload, TapeScope, Target,
    call::{Answer, AnyCall, COLLECTED_BYTES, streamed},
    connection::Connection,
    old_tls,
};
use crate::protocol::Operation;

/// A request, to be sent as it stands.
#[derive(Debug, Clone)]
pub struct AnyRequest {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub target: Uri,
    /// The headers, in the order of the wire. A name may come more than once. `Host` and
    /// `Content-Length` are added.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: AnyBody,
}

/// The body of a request.
#[derive(Debug, Clone)]
pub enum AnyBody {
    /// These bytes; no body at all when there are none and the method needs none.
    Bytes(Bytes),
    /// Made-up content, for bodies that are too large to be held.
    Payload(Payload),
}

/// Calls one endpoint on one connection, one call at a time. Every call is made once.
pub struct AnyClient {
    target: Target,
    scope: TapeScope,
    connection: Option<Connection>,
}

impl AnyClient {
    /// A client that has not called yet.
    #[must_use]
    pub fn new(target: Target, scope: TapeScope) -> Self {
        Self { target, scope, connection: None }
    }

    /// Makes a call and puts it on the tape. What is judged is what the tape says.
    pub async fn call(&mut self, request: AnyRequest) -> Answer {
        let AnyRequest { method, target, headers, body } = request;
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value);
        }
        let sends = method == Method::POST || method == Method::PUT;
        let (size, body) = match body {
            AnyBody::Bytes(bytes) => {
                (bytes.len() as u64, Full::new(bytes).map_err(|never| match never {}).boxed_unsync())
            }
            AnyBody::Payload(payload) => {
                use futures_util::StreamExt;
                (payload.size(), streamed(payload.pieces().map(Ok)))
            }
        };
        if sends || size > 0 {
            map.insert(header::CONTENT_LENGTH, HeaderValue::from(size));
        }
        let call = AnyCall {
            operation: Operation::of(&method, target.path()),
            method,
            target: target.to_string(),
            headers: map,
            body,
            transfers: true,
            collected: COLLECTED_BYTES,
        };
        call.make(&self.target, &mut self.connection, &self.scope).await
    }

    /// Offers a version of TLS that is too old, and puts on the tape what came of it. Nothing is sent
    /// beyond the first message of the handshake.
    pub async fn offer_old_tls(&mut self, version: old_tls::OldTls) -> Answer {
        old_tls::offer(&self.target, version, &self.scope).await
    }

    /// Closes the connection: the next call opens another.
    pub fn hang_up(&mut self) {
        self.connection = None;
    }
}

impl fmt::Debug for AnyClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyClient").field("target", &self.target).finish_non_exhaustive()
    }
}
