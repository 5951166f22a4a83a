//! `Content-Encoding` of what is sent, `Accept-Encoding` of what is asked for.

use thiserror::Error;

/// How a body is encoded. MESH knows gzip and nothing else (OpenAPI, "Outbox workflow").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentEncoding {
    /// As it is.
    Identity,
    /// Compressed with gzip.
    Gzip,
}

/// A `Content-Encoding` that MESH does not know.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("content encoding {0:?} is not supported, only gzip is")]
pub struct UnsupportedEncoding(String);

impl ContentEncoding {
    /// Whether a `Content-Encoding` header says gzip, and nothing else.
    #[must_use]
    pub fn is_gzip(header: Option<&str>) -> bool {
        Self::parse(header) == Ok(Self::Gzip)
    }

    /// Reads a `Content-Encoding` header; no header means identity.
    ///
    /// # Errors
    /// [`UnsupportedEncoding`] for anything but `gzip` and `identity`.
    pub fn parse(header: Option<&str>) -> Result<Self, UnsupportedEncoding> {
        match header.map(|value| value.trim().to_ascii_lowercase()).as_deref() {
            None | Some("" | "identity") => Ok(Self::Identity),
            Some("gzip") => Ok(Self::Gzip),
            Some(other) => Err(UnsupportedEncoding(other.chars().take(40).collect())),
        }
    }
}

/// Whether a client takes gzip, as its `Accept-Encoding` says (RFC 9110, 12.5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AcceptEncoding {
    /// Whether a gzip body may be sent.
    pub gzip: bool,
}

impl AcceptEncoding {
    /// Reads an `Accept-Encoding` header. No header means no gzip: MESH compresses only what the
    /// client says it takes (OpenAPI, parameter accept-encoding of "Get Message").
    #[must_use]
    pub fn parse(header: Option<&str>) -> Self {
        let mut gzip = None;
        let mut any = None;
        for item in header.unwrap_or_default().split(',') {
            let mut parts = item.split(';').map(str::trim);
            let coding = parts.next().unwrap_or_default().to_ascii_lowercase();
            let wanted = parts
                .find_map(|parameter| parameter.strip_prefix("q=").or(parameter.strip_prefix("Q=")))
                .is_none_or(|q| q.parse::<f32>().is_ok_and(|q| q > 0.0));
            match coding.as_str() {
                "gzip" | "x-gzip" => gzip = Some(wanted),
                "*" => any = Some(wanted),
                _ => {}
            }
        }
        Self { gzip: gzip.or(any).unwrap_or(false) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_encoding_is_read_with_its_weights() {
        for (header, gzip) in [
            ("gzip", true),
            ("GZip", true),
            ("deflate, gzip;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip;q=0.0, *", false),
            ("*", true),
            ("*;q=0", false),
            ("identity", false),
            ("notgzip", false),
            ("", false),
            ("gzip;q=x", false),
        ] {
            assert_eq!(AcceptEncoding::parse(Some(header)).gzip, gzip, "{header:?}");
        }
        assert!(!AcceptEncoding::parse(None).gzip);
    }

    #[test]
    fn only_gzip_is_a_content_encoding() {
        assert_eq!(ContentEncoding::parse(Some("gzip")), Ok(ContentEncoding::Gzip));
        assert_eq!(ContentEncoding::parse(None), Ok(ContentEncoding::Identity));
        assert_eq!(ContentEncoding::parse(Some(" GZip ")), Ok(ContentEncoding::Gzip));
        assert!(ContentEncoding::parse(Some("br")).is_err());
        assert!(ContentEncoding::parse(Some("x-gzip")).is_err());
        assert!(ContentEncoding::parse(Some("gzip, gzip")).is_err());
    }
}
