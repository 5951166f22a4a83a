//! Secrets that could not be told from what is no secret. The tape takes every secret out before it reads a request,
//! and no bundle is written in which one turns up: so they are refused before anything is played.

use secrecy::{ExposeSecret, SecretString};

use super::{error::Complaint, section::At};
use crate::tape::{CLOCK_MOVED, Secret};

/// Paths, queries, media types and the rest of what is read of a request or an answer, as the OpenAPI writes it, and
/// what is called after an emulator of ours by itself.
const ON_THE_WIRE: [&str; 25] = [
    "/messageexchange/endpointlookup/",
    "/messageexchange/workflowsearch/",
    "/messageexchange/_ping",
    "/inbox?max_results=",
    "&workflow_filter=",
    "&continue_from=",
    "/status/acknowledged",
    "/count",
    "/outbox/tracking?messageID=",
    "application/vnd.mesh.v1+json",
    "application/vnd.mesh.v2+json",
    "application/json",
    "application/octet-stream",
    "application/x-www-form-urlencoded",
    "text/plain; charset=utf-8",
    "multipart/form-data",
    "HTTP/1.1",
    "GET POST PUT HEAD",
    "DELETE PATCH OPTIONS",
    "NHSMESH ",
    "chunked",
    "keep-alive",
    "gzip, deflate, identity",
    "https://localhost:",
    "WITNESS_TEST",
];

/// Names of headers, of MESH's (OpenAPI, parameters and responses) and of HTTP's. In whatever case they come.
const HEADERS: [&str; 51] = [
    "mex-to",
    "mex-from",
    "mex-workflowid",
    "mex-chunk-range",
    "mex-subject",
    "mex-localid",
    "mex-filename",
    "mex-content-checksum",
    "mex-content-compressed",
    "mex-content-encrypted",
    "mex-content-type",
    "mex-partnerid",
    "mex-total-chunks",
    "mex-messagetype",
    "mex-linkedmsgid",
    "mex-messageid",
    "mex-version",
    "mex-addresstype",
    "mex-statussuccess",
    "mex-statuscode",
    "mex-statusevent",
    "mex-statusdescription",
    "mex-statustimestamp",
    "mex-clientversion",
    "mex-osname",
    "mex-osversion",
    "mex-osarchitecture",
    "accept",
    "accept-encoding",
    "authorization",
    "cache-control",
    "connection",
    "content-disposition",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "date",
    "etag",
    "expect",
    "host",
    "last-modified",
    "location",
    "pragma",
    "range",
    "retry-after",
    "server",
    "transfer-encoding",
    "user-agent",
    "vary",
    CLOCK_MOVED,
];

/// What stands in every `exchanges.har`, where even an ordinary word is looked for.
const IN_THE_HAR: [&str; 65] = [
    "log",
    "version",
    "creator",
    "mesh-witness",
    "comment",
    "entries",
    "startedDateTime",
    "time",
    "request",
    "method",
    "url",
    "httpVersion",
    "cookies",
    "headers",
    "name",
    "value",
    "queryString",
    "postData",
    "mimeType",
    "text",
    "_encoding",
    "headersSize",
    "bodySize",
    "response",
    "status",
    "statusText",
    "content",
    "size",
    "redirectURL",
    "cache",
    "timings",
    "blocked",
    "dns",
    "connect",
    "ssl",
    "send",
    "wait",
    "receive",
    "serverIPAddress",
    "_actor",
    "_case",
    "_failure",
    "_messageIds",
    "_number",
    "_operation",
    "_requestBody",
    "_responseBody",
    "_scenario",
    "_vantage",
    "_tls",
    "cipher",
    "clientCertificate",
    "serverCertificate",
    "issuer",
    "subject",
    "serial",
    "notAfter",
    "notBefore",
    "sha256",
    "_token",
    "_tokenFault",
    "_relay",
    "hostReplacedBy interim origin position productTls times",
    "nonceCount timestamp mailbox hash",
    "decoded detail kind line path whole counterpart product",
];

/// Up to so many digits are in times, sizes and numbers of ours by chance: `20261130` is in the name of a run of that
/// day.
const MOST_DIGITS: usize = 8;
/// Up to so many hexadecimal digits are in digests by chance: a bundle has hundreds.
const MOST_HEX: usize = 7;

/// A secret as it was read, and where it stands.
pub(super) struct Told {
    pub at: At,
    pub value: SecretString,
}

/// A secret that may stand in the way, whatever else is configured.
pub(super) fn by_itself(secret: &str) -> Result<(), Complaint> {
    let refused = |what: &str, mend: &str| Err(Complaint::new(what, mend));
    if secret.len() < Secret::SHORTEST {
        let what = format!(
            "is shorter than {} bytes, so it would be neither taken out of what is recorded nor searched for",
            Secret::SHORTEST
        );
        return refused(&what, "use a longer one");
    }
    let has_only = |of: fn(&u8) -> bool| secret.bytes().all(|byte| of(&byte));
    if secret.len() <= MOST_DIGITS && has_only(u8::is_ascii_digit)
        || secret.len() <= MOST_HEX && has_only(u8::is_ascii_hexdigit)
    {
        return refused(
            "is so few digits that times, sizes and digests of the evidence have them by chance, and then there would be no bundle",
            "use a longer one, or one with letters beyond f",
        );
    }
    let in_header = |name: &&str| name.contains(&secret.to_ascii_lowercase());
    let is_word = ON_THE_WIRE.iter().chain(&IN_THE_HAR).any(|word| word.contains(secret));
    if is_word || HEADERS.iter().any(in_header) {
        return refused(
            "is a word that every request or recording has, or a part of one, so none could be read with it taken out",
            "use another",
        );
    }
    Ok(())
}

/// What is wrong with a secret beside what is configured, and shown: names and values.
pub(super) fn beside(secret: &Told, shown: &[(&str, String)]) -> Option<Complaint> {
    let secret = secret.value.expose_secret();
    let (name, _) = shown.iter().find(|(_, value)| value.contains(secret))?;
    let what = format!("occurs in {name}, which no request could be read without");
    Some(Complaint::new(what, "use another"))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::protocol::headers;

    #[test]
    fn what_sandboxes_and_people_use_is_taken() {
        for secret in
            ["password", "TestKey", "BackBone", "corr3ct", "inbox-4711", "meshing", "12345678901", "deadbeef"]
        {
            assert_eq!(by_itself(secret), Ok(()), "{secret}");
        }
    }

    #[test]
    fn a_word_of_the_protocol_or_of_a_recording_is_refused() {
        for secret in [
            "inbox",
            "message",
            "mesh",
            "application",
            "octet",
            "Mex-To",
            "mex-To",
            "Subject",
            "HTTP/1.1",
            "NHSMESH",
            "acknowledged",
            "POST",
            "headers",
            "response",
            "counterpart",
            "localhost",
        ] {
            let complaint = by_itself(secret).unwrap_err();
            assert!(complaint.what.starts_with("is a word that every request"), "{secret}: {complaint:?}");
        }
    }

    #[test]
    fn what_coincides_with_digits_of_ours_is_refused() {
        for secret in ["1234", "0000", "20261130", "cafe", "FACE01", "0123abc"] {
            let complaint = by_itself(secret).unwrap_err();
            assert!(complaint.what.starts_with("is so few digits"), "{secret}: {complaint:?}");
        }
    }

    #[test]
    fn what_is_too_short_to_be_looked_for_is_refused() {
        for secret in ["a", "key", "£a"] {
            let complaint = by_itself(secret).unwrap_err();
            assert!(complaint.what.starts_with("is shorter than 4 bytes"), "{secret}: {complaint:?}");
        }
    }

    #[test]
    fn the_headers_of_mesh_are_known() {
        for name in [headers::MEX_TO, headers::MEX_LINKED_MESSAGE_ID, headers::MEX_OS_ARCHITECTURE] {
            assert!(HEADERS.contains(&name.as_str()), "{name}");
        }
    }

    /// Otherwise a run is played of which nothing is kept.
    #[test]
    fn no_key_of_a_har_can_be_a_secret() {
        fn keys(of: &Value, found: &mut Vec<String>) {
            match of {
                Value::Object(fields) => fields.iter().for_each(|(key, value)| {
                    found.push(key.clone());
                    keys(value, found);
                }),
                Value::Array(items) => items.iter().for_each(|item| keys(item, found)),
                _ => {}
            }
        }
        let golden = include_str!("../report/snapshots/mesh_witness__report__har__tests__golden.snap");
        let (_, har) = golden.split_once("\n---\n").unwrap();
        let mut found = Vec::new();
        keys(&serde_json::from_str(har).unwrap(), &mut found);
        assert!(found.len() > 50);
        for key in found {
            assert!(by_itself(&key).is_err(), "{key}");
        }
    }
}
