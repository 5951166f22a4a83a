//! How long a body is, by the head before it (RFC 9112 §6.3).

use crate::tape::{Header, RequestHead, ResponseHead};

/// How a body is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// By its length, 0 for none.
    Length(u64),
    /// By chunks.
    Chunked,
    /// By the end of the connection.
    UntilClose,
    /// Nobody can tell, and why: what follows is passed on and not read.
    Unknown(&'static str),
}

/// How a request's body is delimited.
pub fn of_request(head: &RequestHead) -> Framing {
    if !is_http1(&head.version) || head.method.is_empty() || head.target.is_empty() {
        return Framing::Unknown("the request line is not one of HTTP/1.1");
    }
    match coding(&head.headers) {
        Coding::Chunked => Framing::Chunked,
        Coding::None => length(&head.headers, Framing::Length(0)),
        Coding::Other => Framing::Unknown("the request's Transfer-Encoding does not end with chunked"),
        Coding::Obscure => Framing::Unknown(OBSCURE),
    }
}

/// How a response's body is delimited. `bodiless` says that the request was a `HEAD`.
pub fn of_response(head: &ResponseHead, bodiless: bool) -> Framing {
    if !is_http1(&head.version) || !(100..=999).contains(&head.status) {
        return Framing::Unknown("the status line is not one of HTTP/1.1");
    }
    if bodiless || matches!(head.status, 100..=199 | 204 | 304) {
        return Framing::Length(0);
    }
    match coding(&head.headers) {
        Coding::Chunked => Framing::Chunked,
        Coding::None => length(&head.headers, Framing::UntilClose),
        Coding::Other => Framing::UntilClose,
        Coding::Obscure => Framing::Unknown(OBSCURE),
    }
}

const OBSCURE: &str = "there is a blank between the name of a header that gives the length and its colon";

enum Coding {
    None,
    Chunked,
    Other,
    /// Some read the header, some do not.
    Obscure,
}

fn is_http1(version: &str) -> bool {
    matches!(version, "HTTP/1.1" | "HTTP/1.0")
}

fn coding(headers: &[Header]) -> Coding {
    let decisive = |name: &str| {
        let name = name.trim();
        name.eq_ignore_ascii_case("content-length") || name.eq_ignore_ascii_case("transfer-encoding")
    };
    if headers.iter().any(|header| header.name.trim() != header.name && decisive(&header.name)) {
        return Coding::Obscure;
    }
    let mut codings = values(headers, "transfer-encoding");
    match codings.next_back() {
        None => Coding::None,
        // Twice chunked is as unreadable as any other coding.
        Some(last) if last.eq_ignore_ascii_case("chunked") => {
            if codings.any(|coding| coding.eq_ignore_ascii_case("chunked")) {
                Coding::Other
            } else {
                Coding::Chunked
            }
        }
        Some(_) => Coding::Other,
    }
}

fn length(headers: &[Header], without: Framing) -> Framing {
    let mut lengths = values(headers, "content-length");
    let Some(first) = lengths.next() else { return without };
    if lengths.any(|other| other != first) {
        return Framing::Unknown("there are several Content-Length headers, and they differ");
    }
    let digits = first.bytes().all(|byte| byte.is_ascii_digit());
    match first.parse() {
        Ok(length) if digits => Framing::Length(length),
        _ => Framing::Unknown("Content-Length is no number"),
    }
}

/// The values of a list-valued header, in order.
fn values<'a>(headers: &'a [Header], name: &'a str) -> impl DoubleEndedIterator<Item = &'a str> {
    headers
        .iter()
        .filter(move |header| header.name.eq_ignore_ascii_case(name))
        .flat_map(|header| header.value.split(','))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &str) -> Framing {
        of_request(&RequestHead::read(format!("POST /a HTTP/1.1\r\n{headers}\r\n").as_bytes()))
    }

    fn response(status: &str, headers: &str, bodiless: bool) -> Framing {
        let raw = format!("HTTP/1.1 {status}\r\n{headers}\r\n");
        of_response(&ResponseHead::read(raw.as_bytes()), bodiless)
    }

    #[test]
    fn a_request_is_as_long_as_it_says() {
        assert_eq!(request(""), Framing::Length(0));
        assert_eq!(request("content-LENGTH:  12 \r\n"), Framing::Length(12));
        assert_eq!(request("Content-Length: 3\r\nContent-Length: 3\r\n"), Framing::Length(3));
        assert_eq!(request("Content-Length: 3, 3\r\n"), Framing::Length(3));
        assert_eq!(request("Transfer-Encoding: Chunked\r\n"), Framing::Chunked);
        assert_eq!(request("Transfer-Encoding: gzip, chunked\r\n"), Framing::Chunked);
        assert_eq!(request("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"), Framing::Chunked);
    }

    #[test]
    fn transfer_encoding_overrides_content_length() {
        assert_eq!(request("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), Framing::Chunked);
    }

    #[test]
    fn a_request_whose_length_nobody_knows_is_not_guessed_at() {
        for headers in [
            "Content-Length: 3\r\nContent-Length: 4\r\n",
            "Content-Length: +3\r\n",
            "Content-Length: \r\n",
            "Content-Length: 99999999999999999999\r\n",
            "Content-Length : 3\r\n",
            "Transfer-Encoding : chunked\r\n",
            "Transfer-Encoding: gzip\r\n",
            "Transfer-Encoding: chunked, gzip\r\n",
            "Transfer-Encoding: chunked, chunked\r\n",
        ] {
            assert!(matches!(request(headers), Framing::Unknown(_)), "{headers}");
        }
        for line in ["PRI * HTTP/2.0", "GET /", "nonsense", "", "GET  HTTP/1.1"] {
            let head = RequestHead::read(format!("{line}\r\n\r\n").as_bytes());
            assert!(matches!(of_request(&head), Framing::Unknown(_)), "{line}");
        }
    }

    #[test]
    fn a_response_is_as_long_as_status_request_and_headers_say() {
        let length = "Content-Length: 5\r\n";
        assert_eq!(response("200 OK", length, false), Framing::Length(5));
        assert_eq!(response("200 OK", length, true), Framing::Length(0));
        for status in ["204 No Content", "304 Not Modified", "100 Continue"] {
            assert_eq!(response(status, length, false), Framing::Length(0), "{status}");
        }
        assert_eq!(response("200", "", false), Framing::UntilClose);
        assert_eq!(response("200 OK", "Transfer-Encoding: chunked\r\n", false), Framing::Chunked);
        assert_eq!(response("200 OK", "Transfer-Encoding: gzip\r\n", false), Framing::UntilClose);
        assert!(matches!(response("200 OK", "Content-Length: x\r\n", false), Framing::Unknown(_)));
        assert!(matches!(response("2000 OK", "", false), Framing::Unknown(_)));
    }
}
