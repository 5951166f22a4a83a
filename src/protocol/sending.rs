//! The headers of "Send message", parsed and held to their limits.

use http::{HeaderMap, HeaderName};
use thiserror::Error;

use super::headers::{
    MEX_CHUNK_RANGE, MEX_CONTENT_CHECKSUM, MEX_CONTENT_COMPRESSED, MEX_CONTENT_ENCRYPTED, MEX_FILE_NAME,
    MEX_FROM, MEX_LOCAL_ID, MEX_MESSAGE_TYPE, MEX_SUBJECT, MEX_TO, MEX_WORKFLOW_ID,
};
use super::{ChunkRange, ContentEncoding, ErrorCode, MailboxId, ValidationError, WorkflowId};

/// What a sender says about a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendHeaders {
    /// The recipient, as written: whether it is registered is for the endpoint to say.
    pub to: String,
    /// The kind of message.
    pub workflow: WorkflowId,
    /// Which chunk of how many; the whole when the header is absent.
    pub chunk_range: ChunkRange,
    /// How the body is encoded.
    pub encoding: ContentEncoding,
    /// Type of the decoded content.
    pub content_type: Option<String>,
    /// Headers that are handed to the recipient as they came: subject, local ID, file name and so on.
    pub passed_through: Vec<(HeaderName, String)>,
}

/// Why a send is refused for its headers.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SendRefusal {
    /// Not as the OpenAPI has it: 400 with the validation error's body.
    #[error("{} {}", .0.loc.join(" "), .0.msg)]
    Invalid(ValidationError),
    /// An error with a code: the status is the endpoint's choice.
    #[error("{}", .0.description())]
    Code(ErrorCode),
}

/// Limits in characters (OpenAPI, parameters of "Send message").
const PASSED_THROUGH: [(HeaderName, usize); 6] = [
    (MEX_SUBJECT, 500),
    (MEX_LOCAL_ID, 300),
    (MEX_FILE_NAME, 300),
    (MEX_CONTENT_CHECKSUM, 100),
    (MEX_CONTENT_COMPRESSED, 10),
    (MEX_CONTENT_ENCRYPTED, 10),
];

impl SendHeaders {
    /// Reads the headers of a send by `sender`, the mailbox that the token speaks for.
    ///
    /// # Errors
    /// The first thing that is wrong, in the order in which an endpoint is known to look: lengths,
    /// characters, `Mex-From`, message type, `Mex-To`, workflow, encoding, chunk range.
    pub fn parse(headers: &HeaderMap, sender: &MailboxId) -> Result<Self, SendRefusal> {
        let limits = [(MEX_TO, 100), (MEX_WORKFLOW_ID, 300), (MEX_CHUNK_RANGE, 20)];
        for (name, limit) in limits.iter().chain(&PASSED_THROUGH) {
            check_length(headers, name, *limit)?;
        }
        if let Some(from) = text(headers, &MEX_FROM)?
            && from != sender.as_str()
        {
            return Err(SendRefusal::Code(ErrorCode::InvalidFrom));
        }
        if let Some(kind) = text(headers, &MEX_MESSAGE_TYPE)?
            && kind != "DATA"
        {
            return Err(SendRefusal::Code(ErrorCode::InvalidMessageType));
        }
        let to = text(headers, &MEX_TO)?.filter(|to| !to.is_empty());
        let to = to.ok_or(SendRefusal::Code(ErrorCode::MissingTo))?;
        let workflow = text(headers, &MEX_WORKFLOW_ID)?
            .ok_or_else(|| SendRefusal::Invalid(ValidationError::missing("header", "mex-workflowid")))?;
        let workflow = WorkflowId::parse(&workflow).map_err(|error| invalid(&MEX_WORKFLOW_ID, error))?;
        let encoding = text(headers, &http::header::CONTENT_ENCODING)?;
        let encoding = ContentEncoding::parse(encoding.as_deref())
            .map_err(|error| invalid(&http::header::CONTENT_ENCODING, error))?;
        let chunk_range = match text(headers, &MEX_CHUNK_RANGE)? {
            Some(range) if !range.is_empty() => {
                range.parse().map_err(|error| invalid(&MEX_CHUNK_RANGE, error))?
            }
            _ => ChunkRange::WHOLE,
        };
        let mut passed_through = Vec::new();
        for (name, _) in PASSED_THROUGH {
            if let Some(value) = text(headers, &name)?.filter(|value| !value.is_empty()) {
                passed_through.push((name, value));
            }
        }
        let content_type = text(headers, &http::header::CONTENT_TYPE)?;
        Ok(Self { to, workflow, chunk_range, encoding, content_type, passed_through })
    }
}

fn check_length(headers: &HeaderMap, name: &HeaderName, limit: usize) -> Result<(), SendRefusal> {
    match headers.get(name) {
        Some(value) if value.len() > limit => {
            Err(invalid(name, format!("must have at most {limit} characters")))
        }
        _ => Ok(()),
    }
}

/// A header's value as printable text; 06 for control characters and anything but ASCII.
fn text(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, SendRefusal> {
    match headers.get(name) {
        None => Ok(None),
        Some(value) => match value.to_str() {
            Ok(text) if !text.contains('\t') => Ok(Some(text.to_owned())),
            _ => Err(SendRefusal::Code(ErrorCode::MalformedHeaders)),
        },
    }
}

fn invalid(name: &HeaderName, msg: impl ToString) -> SendRefusal {
    SendRefusal::Invalid(ValidationError::new("header", name.as_str(), msg))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in [("mex-to", "X26ABC2"), ("mex-workflowid", "TEST")].iter().chain(pairs) {
            map.insert(HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap());
        }
        map
    }

    fn parse(pairs: &[(&str, &str)]) -> Result<SendHeaders, SendRefusal> {
        SendHeaders::parse(&headers(pairs), &MailboxId::parse("X26ABC1").unwrap())
    }

    #[test]
    fn the_least_that_a_send_needs() {
        let parsed = parse(&[]).unwrap();
        assert_eq!(parsed.to, "X26ABC2");
        assert_eq!(parsed.chunk_range, ChunkRange::WHOLE);
        assert_eq!(parsed.encoding, ContentEncoding::Identity);
    }

    #[test]
    fn each_fault_has_its_answer() {
        let code = |code| Err(SendRefusal::Code(code));
        assert_eq!(parse(&[("mex-to", "")]), code(ErrorCode::MissingTo));
        assert_eq!(parse(&[("mex-from", "X26ABC9")]), code(ErrorCode::InvalidFrom));
        assert_eq!(parse(&[("mex-messagetype", "REPORT")]), code(ErrorCode::InvalidMessageType));
        assert_eq!(parse(&[("mex-subject", "a\tb")]), code(ErrorCode::MalformedHeaders));
        let place = |result: Result<SendHeaders, SendRefusal>| match result {
            Err(SendRefusal::Invalid(error)) => error.loc.join(" "),
            other => panic!("{other:?}"),
        };
        assert_eq!(place(parse(&[("mex-subject", &"s".repeat(501))])), "header mex-subject");
        assert_eq!(place(parse(&[("mex-chunk-range", "2:1")])), "header mex-chunk-range");
        assert_eq!(place(parse(&[("content-encoding", "br")])), "header content-encoding");
        assert_eq!(place(parse(&[("mex-workflowid", "")])), "header mex-workflowid");
        assert!(parse(&[("mex-subject", &"s".repeat(500)), ("mex-from", "X26ABC1")]).is_ok());
    }

    proptest! {
        #[test]
        fn no_header_value_stops_the_parser(name in 0usize..11, value in proptest::collection::vec(any::<u8>(), 0..600)) {
            let names = ["mex-to", "mex-from", "mex-workflowid", "mex-chunk-range", "mex-subject", "mex-localid",
                "mex-filename", "mex-content-checksum", "mex-messagetype", "content-encoding", "content-type"];
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                let mut map = headers(&[]);
                map.insert(HeaderName::from_static(names[name]), value);
                let _ = SendHeaders::parse(&map, &MailboxId::parse("X26ABC1").unwrap());
            }
        }
    }
}
