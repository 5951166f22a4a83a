//! The headers of a send and of a chunk.

use http::{
    HeaderMap, HeaderName, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
};

use super::{Flaw, Refused, Told, text};
use crate::protocol::{
    ChunkRange, ContentEncoding, ErrorCode, MessageId, SendHeaders, WorkflowId,
    headers::{
        MEX_CHUNK_RANGE, MEX_CONTENT_CHECKSUM, MEX_CONTENT_COMPRESSED, MEX_CONTENT_ENCRYPTED,
        MEX_CONTENT_TYPE, MEX_FILE_NAME, MEX_LOCAL_ID, MEX_PARTNER_ID, MEX_SUBJECT, MEX_TO, MEX_WORKFLOW_ID,
    },
};

/// Every header that is looked at, in the order in which flaws are told, with its limit in characters.
const LIMITS: [(HeaderName, usize); 11] = [
    (MEX_TO, 100),
    (MEX_WORKFLOW_ID, 300),
    (MEX_CHUNK_RANGE, 20),
    (MEX_SUBJECT, 500),
    (MEX_LOCAL_ID, 300),
    (MEX_PARTNER_ID, 500),
    (MEX_FILE_NAME, 300),
    (MEX_CONTENT_ENCRYPTED, 20),
    (MEX_CONTENT_COMPRESSED, 20),
    (MEX_CONTENT_CHECKSUM, 100),
    (MEX_CONTENT_TYPE, 100),
];

/// What a chunk says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkSaid {
    /// Its place.
    pub range: ChunkRange,
    /// How it is encoded; `None` for what no chunk can be.
    pub encoding: Option<ContentEncoding>,
}

/// Reads the headers of a send: lengths, then characters, then the checksum's alphabet, then the
/// recipient, the encoding and the chunk range.
///
/// # Errors
/// What is wrong first; of lengths, everything.
pub fn send_headers(headers: &HeaderMap) -> Result<SendHeaders, Refused> {
    let flaws = too_long_or_missing(headers);
    if !flaws.is_empty() {
        return Err(Refused::flaws(flaws));
    }
    let given = |name: &HeaderName| text(headers, name).unwrap_or_default();
    let (to, workflow) = (given(&MEX_TO).to_uppercase(), given(&MEX_WORKFLOW_ID));
    let (to, workflow, checksum) = (to.trim(), workflow.trim(), given(&MEX_CONTENT_CHECKSUM));
    check_characters(headers, [to, workflow, &checksum])?;
    if !checksum
        .trim()
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || ":-/".contains(c))
    {
        let word = "Invalid checksum";
        return Err(Refused::new(StatusCode::BAD_REQUEST, Told::Code("SEND", word, word)));
    }
    if to.is_empty() {
        return Err(Refused::code(StatusCode::BAD_REQUEST, ErrorCode::MissingTo));
    }
    let Some(encoding) = encoding(headers) else {
        let word = "UnsupportedContentEncoding";
        let told = Told::Code("SEND", word, "Unsupported content encoding");
        return Err(Refused::new(StatusCode::UNPROCESSABLE_ENTITY, told));
    };
    let range = range(given(&MEX_CHUNK_RANGE).trim(), 1).ok_or_else(wrong_range)?;
    // Here alone mesh-sandbox takes what this endpoint cannot: a message on no workflow.
    let workflow = WorkflowId::parse(workflow)
        .map_err(|_| Refused::words(StatusCode::BAD_REQUEST, "Mex-WorkflowID is empty or not ASCII"))?;
    let content_type = given(&CONTENT_TYPE).trim().to_lowercase();
    let content_type = Some(given(&MEX_CONTENT_TYPE)).filter(|own| !own.is_empty()).unwrap_or(content_type);
    let flag = |name: &HeaderName| truth(&given(name)).then(|| "Y".to_owned());
    let labels = [
        (MEX_SUBJECT, Some(given(&MEX_SUBJECT))),
        (MEX_LOCAL_ID, Some(given(&MEX_LOCAL_ID))),
        (MEX_PARTNER_ID, Some(given(&MEX_PARTNER_ID))),
        (MEX_FILE_NAME, Some(given(&MEX_FILE_NAME))),
        (MEX_CONTENT_ENCRYPTED, flag(&MEX_CONTENT_ENCRYPTED)),
        (MEX_CONTENT_COMPRESSED, flag(&MEX_CONTENT_COMPRESSED)),
        (MEX_CONTENT_CHECKSUM, Some(checksum.clone())),
        (MEX_CONTENT_TYPE, Some(content_type.clone())),
    ];
    let present =
        |(name, value): (HeaderName, Option<String>)| Some((name, value.filter(|value| !value.is_empty())?));
    Ok(SendHeaders {
        to: to.to_owned(),
        workflow,
        chunk_range: range,
        encoding,
        content_type: Some(content_type).filter(|content_type| !content_type.is_empty()),
        passed_through: labels.into_iter().filter_map(present).collect(),
    })
}

/// Reads the headers of a chunk after the first.
///
/// # Errors
/// What is wrong first. That the message exists is not yet known.
pub fn chunk_headers(headers: &HeaderMap, id: &MessageId, number: i64) -> Result<ChunkSaid, Refused> {
    let given = text(headers, &MEX_CHUNK_RANGE).unwrap_or_default();
    if let Some(flaw) = Flaw::of_length("header", MEX_CHUNK_RANGE.as_str(), &given, 0, 20) {
        return Err(Refused::flaws(vec![flaw]));
    }
    let given = given.trim();
    let range = if given.is_empty() { None } else { range(given, number) };
    let range = range.ok_or_else(|| wrong_range().about(id))?;
    Ok(ChunkSaid { range, encoding: encoding(headers) })
}

fn too_long_or_missing(headers: &HeaderMap) -> Vec<Flaw> {
    let flaw = |(name, most): &(HeaderName, usize)| match text(headers, name) {
        Some(value) => Flaw::of_length("header", name.as_str(), &value, 0, *most),
        None if [MEX_TO, MEX_WORKFLOW_ID].contains(name) => Some(Flaw::missing("header", name.as_str())),
        None => None,
    };
    LIMITS.iter().filter_map(flaw).collect()
}

fn check_characters(headers: &HeaderMap, no_urls: [&str; 3]) -> Result<(), Refused> {
    let is_text = |name: &HeaderName| ![MEX_CONTENT_ENCRYPTED, MEX_CONTENT_COMPRESSED].contains(name);
    let control = |value: String| value.trim().chars().any(|c| c < ' ');
    let controls = LIMITS
        .iter()
        .filter(|(name, _)| is_text(name))
        .filter_map(|(name, _)| text(headers, name))
        .any(control);
    let is_url = |text: &str| {
        let text = text.to_ascii_lowercase();
        text.starts_with("http://") || text.starts_with("https://")
    };
    if controls || no_urls.into_iter().any(is_url) {
        return Err(Refused::code(StatusCode::BAD_REQUEST, ErrorCode::MalformedHeaders));
    }
    Ok(())
}

fn encoding(headers: &HeaderMap) -> Option<ContentEncoding> {
    match text(headers, &CONTENT_ENCODING).unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "" => Some(ContentEncoding::Identity),
        "gzip" => Some(ContentEncoding::Gzip),
        _ => None,
    }
}

/// A range that fits the number in the path; no text is the whole of a message.
fn range(text: &str, number: i64) -> Option<ChunkRange> {
    if text.is_empty() {
        return Some(ChunkRange::WHOLE);
    }
    let (index, total) = text.split_once(':')?;
    let read = |part: &str| part.trim().parse::<u32>().ok();
    let (index, total) = (read(index)?, read(total)?);
    let range = format!("{index}:{total}").parse().ok()?;
    (i64::from(index) == number).then_some(range)
}

fn wrong_range() -> Refused {
    Refused::code(StatusCode::EXPECTATION_FAILED, ErrorCode::InvalidChunkRange)
}

fn truth(text: &str) -> bool {
    matches!(text.trim().to_ascii_lowercase().as_str(), "y" | "yes" | "t" | "true" | "on" | "1")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::ApiVersion;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in [("mex-to", " x26abc2 "), ("mex-workflowid", "W1")].iter().chain(pairs) {
            map.insert(HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap());
        }
        map
    }

    fn refused(pairs: &[(&str, &str)]) -> (u16, String) {
        let refused = send_headers(&headers(pairs)).unwrap_err();
        (refused.status.as_u16(), refused.body(ApiVersion::V1).1.to_string())
    }

    #[test]
    fn what_is_said_is_trimmed_and_flags_are_truths() {
        let pairs =
            [("mex-content-compressed", "yes"), ("mex-content-encrypted", "N"), ("content-type", "Text/CSV")];
        let read = send_headers(&headers(&pairs)).unwrap();
        assert_eq!(read.to, "X26ABC2");
        assert_eq!(
            read.passed_through,
            [(MEX_CONTENT_COMPRESSED, "Y".to_owned()), (MEX_CONTENT_TYPE, "text/csv".to_owned())]
        );
        assert!(send_headers(&headers(&[("mex-chunk-range", " 1 : 3 ")])).is_ok());
    }

    #[test]
    fn each_flaw_has_its_status_and_its_words() {
        for (pairs, status, words) in [
            (&[("mex-to", "")][..], 400, "TO_DTS missing"),
            (&[("mex-subject", "a\tb")], 400, "MalformedControlFile"),
            (&[("mex-workflowid", "http://a")], 400, "MalformedControlFile"),
            (&[("mex-content-checksum", "a=")], 400, "Invalid checksum"),
            (&[("content-encoding", "br")], 422, "Unsupported content encoding"),
            (&[("mex-chunk-range", "2:3")], 417, "InvalidHeaderChunks"),
            (&[("mex-content-encrypted", "123456789012345678901")], 400, "at most 20 characters"),
        ] {
            let (found, body) = refused(pairs);
            assert!(found == status && body.contains(words), "{pairs:?}: {found} {body}");
        }
        assert!(send_headers(&headers(&[("mex-content-checksum", "SHA-256: ab/cd")])).is_ok());
    }

    #[test]
    fn every_missing_header_is_told() {
        let body = send_headers(&HeaderMap::new()).unwrap_err().body(ApiVersion::V1).1;
        assert_eq!(body["detail"].as_array().unwrap().len(), 2);
    }

    proptest! {
        #[test]
        fn no_header_value_stops_the_reader(name in 0..LIMITS.len(), value in proptest::collection::vec(any::<u8>(), 0..600)) {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                let mut map = headers(&[]);
                map.insert(LIMITS[name].0.clone(), value);
                let _ = send_headers(&map);
                let _ = chunk_headers(&map, &MessageId::parse("A").unwrap(), 2);
            }
        }
    }
}
