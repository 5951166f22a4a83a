//! The headers of "Send message", parsed and held to their limits.

use std::borrow::Cow;

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
};
use thiserror::Error;

use super::headers::{
    MEX_CHUNK_RANGE, MEX_CONTENT_CHECKSUM, MEX_CONTENT_COMPRESSED, MEX_CONTENT_ENCRYPTED, MEX_CONTENT_TYPE,
    MEX_FILE_NAME, MEX_FROM, MEX_LOCAL_ID, MEX_MESSAGE_TYPE, MEX_PARTNER_ID, MEX_SUBJECT, MEX_TO,
    MEX_VERSION, MEX_WORKFLOW_ID,
};
use super::{ChunkRange, ContentEncoding, ErrorCode, MailboxId, ValidationError, WorkflowId};

/// What one request may carry, in bytes (OpenAPI, "Outbox workflow").
pub const LARGEST_REQUEST: u64 = 100_000_000;
/// What all chunks of a message may carry together, in bytes (OpenAPI, "Outbox workflow").
pub const LARGEST_MESSAGE: u64 = 100_000_000_000;

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

/// What sources disagree about in the headers of a send. "Sandbox" is mesh-sandbox 1.0.137.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendRules {
    /// Whether `Mex-From`, `Mex-MessageType` and `Mex-Version` are looked at when they are there: codes
    /// 07, 11 and 09. The assurance pack sends them, the OpenAPI has dropped them, sandbox passes over.
    pub old_headers_checked: bool,
    /// What no `Mex-To`, or an empty one, is answered with.
    pub missing_to: MissingTo,
}

/// What no `Mex-To` is answered with: always 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingTo {
    /// Code 08 (OpenAPI, "Error codes").
    Code,
    /// The detail of a validation error (OpenAPI, 400 of "Send message").
    Validation,
    /// Code 08 when it is empty, a validation error when it is not there (sandbox).
    ByEmptiness,
}

impl Default for SendRules {
    fn default() -> Self {
        Self { old_headers_checked: true, missing_to: MissingTo::Code }
    }
}

impl SendRules {
    /// By the letter of the OpenAPI, whose 400 is a validation error.
    #[must_use]
    pub fn spec() -> Self {
        Self { missing_to: MissingTo::Validation, ..Self::default() }
    }

    /// As mesh-sandbox 1.0.137.
    #[must_use]
    pub fn sandbox() -> Self {
        Self { old_headers_checked: false, missing_to: MissingTo::ByEmptiness }
    }

    fn without_to(self, given: bool) -> SendRefusal {
        match self.missing_to {
            MissingTo::ByEmptiness if given => SendRefusal::Code(ErrorCode::MissingTo),
            MissingTo::Code => SendRefusal::Code(ErrorCode::MissingTo),
            _ => SendRefusal::Invalid(ValidationError::missing("header", MEX_TO.as_str())),
        }
    }
}

/// How many headers there are in [`SEND_LIMITS`].
const LIMITED: usize = 11;
/// The headers of a send that have a limit: as they are written, as HTTP compares them, and how many characters
/// each may have (OpenAPI, parameters of "Send message"). All but the first three are handed on.
pub static SEND_LIMITS: [(&str, HeaderName, usize); LIMITED] = [
    ("Mex-To", MEX_TO, 100),
    ("Mex-WorkflowID", MEX_WORKFLOW_ID, 300),
    ("Mex-Chunk-Range", MEX_CHUNK_RANGE, 20),
    ("Mex-Subject", MEX_SUBJECT, 500),
    ("Mex-LocalID", MEX_LOCAL_ID, 300),
    ("Mex-FileName", MEX_FILE_NAME, 300),
    ("Mex-Content-Checksum", MEX_CONTENT_CHECKSUM, 100),
    ("Mex-Content-Compressed", MEX_CONTENT_COMPRESSED, 10),
    ("Mex-Content-Encrypted", MEX_CONTENT_ENCRYPTED, 10),
    ("Mex-PartnerID", MEX_PARTNER_ID, 500),
    ("Mex-Content-Type", MEX_CONTENT_TYPE, 100),
];

impl SendHeaders {
    /// Reads the headers of a send by `sender`, the mailbox that the token speaks for.
    ///
    /// # Errors
    /// The first thing that is wrong, in the order in which an endpoint is known to look: lengths,
    /// characters, `Mex-From`, message type, `Mex-To`, workflow, encoding, chunk range.
    pub fn parse(headers: &HeaderMap, sender: &MailboxId, rules: SendRules) -> Result<Self, SendRefusal> {
        let found = Found::all(headers);
        found.iter().try_for_each(Found::check_length)?;
        let mut texts = SEND_LIMITS.each_ref().map(|(_, name, _)| (name, None));
        for ((_, text), found) in texts.iter_mut().zip(&found) {
            *text = found.text()?;
        }
        let [(_, to), (_, workflow), (_, range), labels @ ..] = texts;
        if rules.old_headers_checked {
            check_old_headers(headers, sender)?;
        }
        let given = to.is_some();
        let to = to.filter(|to| !to.is_empty()).ok_or_else(|| rules.without_to(given))?.to_owned();
        let workflow = workflow
            .ok_or_else(|| SendRefusal::Invalid(ValidationError::missing("header", "mex-workflowid")))?;
        let workflow = WorkflowId::parse(workflow).map_err(|error| invalid(&MEX_WORKFLOW_ID, error))?;
        let encoding = read_encoding(headers)?.unwrap_or(ContentEncoding::Identity);
        let chunk_range = chunk_range(range)?.unwrap_or(ChunkRange::WHOLE);
        let mut passed_through = Vec::new();
        for (name, value) in labels {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                passed_through.push((name.clone(), value.to_owned()));
            }
        }
        // Who says both means the message by the one and this request by the other.
        let own = passed_through.iter().find(|(name, _)| *name == MEX_CONTENT_TYPE);
        let content_type = match own {
            Some((_, content_type)) => Some(content_type.clone()),
            None => text(headers.get(&CONTENT_TYPE))?.filter(|own| !own.is_empty()).map(str::to_owned),
        };
        Ok(Self { to, workflow, chunk_range, encoding, content_type, passed_through })
    }
}

/// The `Content-Encoding` of a send or a chunk; `None` when there is none, or an empty one.
///
/// # Errors
/// When it is anything but gzip and identity.
pub fn read_encoding(headers: &HeaderMap) -> Result<Option<ContentEncoding>, SendRefusal> {
    let mut given = None;
    // Several lines are one list (RFC 9110, 5.3).
    for line in headers.get_all(&CONTENT_ENCODING) {
        let line = text(Some(line))?.filter(|encoding| !encoding.is_empty());
        given = match (given, line) {
            (None, line) => line.map(Cow::Borrowed),
            (given, None) => given,
            (Some(given), Some(line)) => Some(Cow::Owned(format!("{given}, {line}"))),
        };
    }
    let read = |encoding: Cow<'_, str>| {
        ContentEncoding::parse(Some(&encoding)).map_err(|error| invalid(&CONTENT_ENCODING, error))
    };
    given.map(read).transpose()
}

/// The `Mex-Chunk-Range` of a send or a chunk; `None` when there is none, or an empty one.
///
/// # Errors
/// When it is no chunk range.
pub fn read_chunk_range(headers: &HeaderMap) -> Result<Option<ChunkRange>, SendRefusal> {
    chunk_range(text(headers.get(&MEX_CHUNK_RANGE))?)
}

fn chunk_range(given: Option<&str>) -> Result<Option<ChunkRange>, SendRefusal> {
    let given = given.filter(|range| !range.is_empty());
    given.map(|range| range.parse().map_err(|error| invalid(&MEX_CHUNK_RANGE, error))).transpose()
}

/// A header of a send, and how long it may be.
struct Found<'a> {
    name: &'static HeaderName,
    limit: usize,
    value: Option<&'a HeaderValue>,
}

impl<'a> Found<'a> {
    /// Every header of [`SEND_LIMITS`], in that order. Each header that there is is looked at once, since to look one up
    /// costs more than to compare it with them all.
    fn all(headers: &'a HeaderMap) -> [Self; LIMITED] {
        let mut all =
            SEND_LIMITS.each_ref().map(|(_, name, limit)| Found { name, limit: *limit, value: None });
        for (name, value) in headers {
            let name = name.as_str();
            if let Some(found) = all.iter_mut().find(|found| found.name.as_str() == name) {
                found.value.get_or_insert(value);
            }
        }
        all
    }

    fn check_length(&self) -> Result<(), SendRefusal> {
        match self.value {
            Some(value) if value.len() > self.limit => {
                Err(invalid(self.name, format!("must have at most {} characters", self.limit)))
            }
            _ => Ok(()),
        }
    }

    fn text(&self) -> Result<Option<&'a str>, SendRefusal> {
        text(self.value)
    }
}

/// Headers that the assurance pack and older editions of the specification ask for: right if there.
fn check_old_headers(headers: &HeaderMap, sender: &MailboxId) -> Result<(), SendRefusal> {
    for (name, right, code) in [
        (MEX_FROM, sender.as_str(), ErrorCode::InvalidFrom),
        (MEX_MESSAGE_TYPE, "DATA", ErrorCode::InvalidMessageType),
        (MEX_VERSION, "1.0", ErrorCode::InvalidVersion),
    ] {
        if text(headers.get(&name))?.is_some_and(|given| given != right) {
            return Err(SendRefusal::Code(code));
        }
    }
    Ok(())
}

/// A header's value as printable text; 06 for control characters and anything but ASCII.
fn text(value: Option<&HeaderValue>) -> Result<Option<&str>, SendRefusal> {
    match value.map(HeaderValue::to_str) {
        None => Ok(None),
        Some(Ok(text)) if !text.contains('\t') => Ok(Some(text)),
        Some(_) => Err(SendRefusal::Code(ErrorCode::MalformedHeaders)),
    }
}

fn invalid(name: &HeaderName, msg: impl ToString) -> SendRefusal {
    SendRefusal::Invalid(ValidationError::new("header", name.as_str(), msg))
}

#[cfg(test)]
mod tests {
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
        SendHeaders::parse(&headers(pairs), &MailboxId::parse("X26ABC1").unwrap(), SendRules::default())
    }

    #[test]
    fn the_least_that_a_send_needs() {
        let parsed = parse(&[]).unwrap();
        assert_eq!(parsed.to, "X26ABC2");
        assert_eq!(parsed.chunk_range, ChunkRange::WHOLE);
        assert_eq!(parsed.encoding, ContentEncoding::Identity);
    }

    #[test]
    fn of_a_header_that_is_there_twice_the_first_counts() {
        let mut headers = headers(&[("mex-subject", "first")]);
        for (name, value) in [("mex-to", "X26ABC3"), ("mex-subject", "second")] {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let sender = MailboxId::parse("X26ABC1").unwrap();
        let parsed = SendHeaders::parse(&headers, &sender, SendRules::default()).unwrap();
        assert_eq!(parsed.to, "X26ABC2");
        assert_eq!(parsed.passed_through, [(MEX_SUBJECT, "first".to_owned())]);
    }

    /// RFC 9110, 5.3.
    #[test]
    fn an_encoding_on_several_lines_is_judged_as_on_one() {
        for (lines, read) in [
            (&["identity", "gzip"][..], None),
            (&["gzip", "gzip"], None),
            (&["gzip", ""], Some(ContentEncoding::Gzip)),
            (&["gzip"], Some(ContentEncoding::Gzip)),
        ] {
            let mut headers = headers(&[]);
            for line in lines {
                headers.append(CONTENT_ENCODING, HeaderValue::from_static(line));
            }
            let sender = MailboxId::parse("X26ABC1").unwrap();
            let sent = SendHeaders::parse(&headers, &sender, SendRules::default());
            assert_eq!(sent.ok().map(|sent| sent.encoding), read, "{lines:?}");
            assert_eq!(read_encoding(&headers).ok().flatten(), read, "{lines:?}");
        }
    }

    #[test]
    fn each_fault_has_its_answer() {
        let code = |code| Err(SendRefusal::Code(code));
        assert_eq!(parse(&[("mex-to", "")]), code(ErrorCode::MissingTo));
        assert_eq!(parse(&[("mex-from", "X26ABC9")]), code(ErrorCode::InvalidFrom));
        assert_eq!(parse(&[("mex-messagetype", "REPORT")]), code(ErrorCode::InvalidMessageType));
        assert_eq!(parse(&[("mex-version", "2.0")]), code(ErrorCode::InvalidVersion));
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

    #[test]
    fn of_several_faults_the_one_that_is_looked_for_first_is_told() {
        let (tab, from) = (("mex-subject", "a\tb"), ("mex-from", "X26ABC9"));
        let (to, long) = (("mex-to", ""), ("mex-localid", &*"l".repeat(301)));
        let code = |code| Err(SendRefusal::Code(code));
        assert!(matches!(parse(&[to, from, tab, long]), Err(SendRefusal::Invalid(_))));
        assert_eq!(parse(&[to, from, tab]), code(ErrorCode::MalformedHeaders));
        assert_eq!(parse(&[to, from]), code(ErrorCode::InvalidFrom));
        assert_eq!(parse(&[to, ("content-encoding", "br")]), code(ErrorCode::MissingTo));
    }

    #[test]
    fn no_recipient_is_answered_by_rule() {
        let answer = |rules, pairs: &[(&str, &str)]| {
            let mut map = headers(pairs);
            if pairs.is_empty() {
                map.remove("mex-to");
            }
            match SendHeaders::parse(&map, &MailboxId::parse("X26ABC1").unwrap(), rules).unwrap_err() {
                SendRefusal::Code(code) => code.as_str(),
                SendRefusal::Invalid(error) => error.kind,
            }
        };
        let empty = [("mex-to", "")];
        assert_eq!((answer(SendRules::default(), &[]), answer(SendRules::default(), &empty)), ("08", "08"));
        let missing = "value_error.missing";
        assert_eq!((answer(SendRules::spec(), &[]), answer(SendRules::spec(), &empty)), (missing, missing));
        assert_eq!(
            (answer(SendRules::sandbox(), &[]), answer(SendRules::sandbox(), &empty)),
            (missing, "08")
        );
    }

    proptest! {
        #[test]
        fn no_header_value_stops_the_parser(name in 0usize..11, value in proptest::collection::vec(any::<u8>(), 0..600)) {
            let names = ["mex-to", "mex-from", "mex-workflowid", "mex-chunk-range", "mex-subject", "mex-localid",
                "mex-filename", "mex-content-checksum", "mex-messagetype", "content-encoding", "content-type"];
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                let mut map = headers(&[]);
                map.insert(HeaderName::from_static(names[name]), value);
                let _ = SendHeaders::parse(&map, &MailboxId::parse("X26ABC1").unwrap(), SendRules::default());
            }
        }
    }
}
