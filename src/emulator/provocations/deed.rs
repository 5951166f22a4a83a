//! What is done to a call that meets a provocation, from its arrival to the connection.

use http::{HeaderName, HeaderValue, Response};
use thiserror::Error;

use super::{Casing, Deed, PROVOKED, answers, cutting};
use crate::{
    emulator::routes::{Reply, ReplyBody},
    protocol::{ApiVersion, Operation},
};

impl Deed {
    /// The answer in place of MESH's, before anybody has looked at the token.
    pub(in crate::emulator) fn before(self, operation: &Operation) -> Option<Reply> {
        match self {
            Self::Answered { status, retry_after } => answers::of_gateway(status, retry_after),
            Self::Redirected { status, to } => answers::redirect(status, to, operation),
            _ => None,
        }
    }

    /// The answer of MESH to a call that was let in, in place of what the call asks for.
    pub(in crate::emulator) fn instead(self, operation: &Operation, version: ApiVersion) -> Option<Reply> {
        match self {
            Self::Answered { status, .. } => answers::of_mesh(status, operation, version),
            _ => None,
        }
    }

    /// What becomes of an answer, whatever it is.
    pub(in crate::emulator) async fn after(self, reply: Reply) -> Reply {
        let mut reply = match self {
            Self::Cut => match cutting::in_half(reply) {
                Ok(reply) => reply,
                Err(whole) => return whole,
            },
            Self::UnknownHeaders => answers::with_unknown_headers(reply),
            Self::Delayed(time) => {
                tokio::time::sleep(time).await;
                reply
            }
            Self::Answered { .. } | Self::Redirected { .. } | Self::Lost | Self::MixedCase => reply,
        };
        if let Ok(words) = HeaderValue::try_from(self.to_string()) {
            reply.headers.insert(HeaderName::from_static(PROVOKED), words);
        }
        let note = format!("provoked on purpose: {self}");
        let note = reply.note.take().map_or(note.clone(), |earlier| format!("{note}; {earlier}"));
        reply.noting(note)
    }

    /// Tells the connection what to do with an answer, where that is more than to write it.
    pub(in crate::emulator) fn mark(self, response: &mut Response<ReplyBody>) {
        let manner = match self {
            Self::Lost => Manner::Lost,
            Self::MixedCase => Manner::MixedCase,
            _ => return,
        };
        response.extensions_mut().insert(manner);
    }
}

/// How a connection treats an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    Lost,
    MixedCase,
}

/// Ends a connection before it has answered.
#[derive(Debug, Error)]
#[error("the answer is lost on purpose")]
pub(in crate::emulator) struct Lost;

/// What a connection does with an answer.
pub(in crate::emulator) fn treat(
    response: Response<ReplyBody>,
    casing: Option<&Casing>,
) -> Result<Response<ReplyBody>, Lost> {
    match (response.extensions().get::<Manner>(), casing) {
        (Some(Manner::Lost), _) => return Err(Lost),
        (Some(Manner::MixedCase), Some(casing)) => casing.mix_next(),
        _ => {}
    }
    Ok(response)
}
