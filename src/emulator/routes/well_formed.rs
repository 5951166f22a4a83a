//! What HTTP itself demands of a request, where the library underneath lets it pass.

use http::{
    Version,
    header::{HOST, TRANSFER_ENCODING},
    request::Parts,
};

/// Why a request is none, in every profile: 400. RFC 9112 would have 501 for a transfer coding, but no request is to
/// bring a 5xx about.
pub fn flaw(parts: &Parts) -> Option<&'static str> {
    if !has_its_host(parts) {
        return Some("there is not exactly one Host header");
    }
    (!is_coded_as_known(parts)).then_some("the transfer coding is not chunked alone")
}

/// Exactly one, also where the target is a whole URL; HTTP/1.0 needs none (RFC 9112, 3.2).
fn has_its_host(parts: &Parts) -> bool {
    let mut hosts = parts.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(_), None) => true,
        (None, _) => parts.version < Version::HTTP_11,
        (Some(_), Some(_)) => false,
    }
}

/// Chunked and nothing else, if anything (RFC 9112, 6.1): the library undoes the last coding, and would hand out as
/// the body what is still in another.
fn is_coded_as_known(parts: &Parts) -> bool {
    let lines = parts.headers.get_all(TRANSFER_ENCODING).iter();
    let codings = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    let mut codings = codings.map(<[u8]>::trim_ascii).filter(|coding| !coding.is_empty());
    match (codings.next(), codings.next()) {
        (Some(coding), None) => coding.eq_ignore_ascii_case(b"chunked"),
        (first, _) => first.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn refused(version: Version, headers: &[(&str, &str)]) -> bool {
        let request = Request::get("http://a/").version(version);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        flaw(&request.body(()).unwrap().into_parts().0).is_some()
    }

    #[test]
    fn a_request_has_exactly_one_host_and_an_old_one_may_have_none() {
        for (version, hosts, expected) in [
            (Version::HTTP_11, 0, true),
            (Version::HTTP_11, 1, false),
            (Version::HTTP_11, 2, true),
            (Version::HTTP_10, 0, false),
            (Version::HTTP_10, 1, false),
            (Version::HTTP_10, 2, true),
        ] {
            let headers = vec![("host", "a"); hosts];
            assert_eq!(refused(version, &headers), expected, "{version:?} {hosts}");
        }
    }

    #[test]
    fn no_transfer_coding_is_known_but_chunked() {
        for (lines, expected) in [
            (&["chunked"] as &[&str], false),
            (&[" Chunked ,"], false),
            (&["gzip, chunked"], true),
            (&["gzip", "chunked"], true),
            (&["chunked, chunked"], true),
            (&["chunked;x=y"], true),
        ] {
            let lines = lines.iter().map(|line| ("transfer-encoding", *line));
            let headers: Vec<_> = std::iter::once(("host", "a")).chain(lines).collect();
            assert_eq!(refused(Version::HTTP_11, &headers), expected, "{headers:?}");
        }
    }
}
