//! Where an endpoint is.

use std::fmt;

use http::Uri;
use rustls::pki_types::{IpAddr, ServerName};
use thiserror::Error;

/// Where a MESH endpoint is: scheme, host and port, no more.
///
/// The scheme is `https`, or `http` for loopback (`localhost`, 127.0.0.0/8, `::1`): passwords and
/// patients' data do not leave the machine in the clear. Displays without a port that goes without
/// saying and without a slash at the end: `https://msg.intspineservices.nhs.uk`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    encrypted: bool,
    host: ServerName<'static>,
    port: u16,
}

/// Why a text is not the URL of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OriginError {
    /// Nothing before `://`.
    #[error("is no URL: it has no scheme")]
    NoScheme,
    /// Neither https nor http.
    #[error("has a scheme other than https")]
    OtherScheme,
    /// What stands where host and port belong is neither.
    #[error("is no URL: host or port is malformed")]
    Malformed,
    /// The host is neither a name nor an address.
    #[error("has a host that is neither a name nor an IP address")]
    Host,
    /// The port is none.
    #[error("has a port that is not in 1 to 65535")]
    Port,
    /// Something before an `@`.
    #[error("has a user name or password in it")]
    UserInfo,
    /// Something after the host, from `?` or `#` on.
    #[error("has a query or a fragment")]
    Query,
    /// Something after the host.
    #[error("has a path")]
    Path,
    /// Plain HTTP to another machine.
    #[error("would send passwords in the clear: http:// is accepted for loopback addresses only")]
    PlainAbroad,
}

impl OriginError {
    /// How to mend it.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::NoScheme | Self::OtherScheme | Self::Malformed | Self::Host => {
                "write it like https://msg.intspineservices.nhs.uk"
            }
            Self::Port => "correct it, or leave it off",
            Self::UserInfo => "take out everything up to the @: MESH takes passwords from `mailboxes`",
            Self::Query => "leave off everything from ? or # on",
            Self::Path => "leave off everything after the host: mesh-witness adds /messageexchange by itself",
            Self::PlainAbroad => "use https://, or localhost",
        }
    }
}

impl Origin {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`OriginError`] says what is wrong with it and how to mend it.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let (scheme, rest) = text.split_once("://").ok_or(OriginError::NoScheme)?;
        let encrypted = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(OriginError::OtherScheme),
        };
        only_an_authority(rest)?;
        let uri: Uri = text.parse().map_err(|_| OriginError::Malformed)?;
        let host = server_name(&uri)?;
        if !encrypted && !is_loopback(&host) {
            return Err(OriginError::PlainAbroad);
        }
        Ok(Self { encrypted, host, port: port(&uri, encrypted)? })
    }

    /// `https` or `http`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.encrypted { "https" } else { "http" }
    }

    /// Whether the host is this machine, by address or by the name `localhost`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// Whether this is live MESH, where messages are patients' own and nothing is played by mistake. Hosts of live Spine are
    /// below `spineservices.nhs.uk` and `national.ncrs.nhs.uk` (OpenAPI, servers: Production); integration is below
    /// `intspineservices.nhs.uk` and `spine2.ncrs.nhs.uk`.
    #[must_use]
    pub fn is_live_mesh(&self) -> bool {
        let host = self.host().trim_end_matches('.').to_ascii_lowercase();
        ["spineservices.nhs.uk", "national.ncrs.nhs.uk"].iter().any(|domain| {
            host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    }

    /// Whether traffic is encrypted and certificates are checked, that is, the scheme is `https`.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// The host as TLS wants it.
    #[must_use]
    pub fn server_name(&self) -> &ServerName<'static> {
        &self.host
    }

    /// The host as sockets want it: a name, or an IP address without brackets.
    #[must_use]
    pub fn host(&self) -> String {
        self.host.to_str().into_owned()
    }

    /// The port, 1 to 65535; 443 or 80 when the URL names none.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Host and port as the `Host` header wants them: the scheme's own port is left off.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = match &self.host {
            ServerName::IpAddress(IpAddr::V6(_)) => format!("[{}]", self.host()),
            _ => self.host(),
        };
        if self.port == own_port(self.encrypted) { host } else { format!("{host}:{}", self.port) }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme(), self.authority())
    }
}

fn only_an_authority(rest: &str) -> Result<(), OriginError> {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    if authority.contains('@') {
        return Err(OriginError::UserInfo);
    }
    if tail.contains(['?', '#']) {
        return Err(OriginError::Query);
    }
    if !matches!(tail, "" | "/") {
        return Err(OriginError::Path);
    }
    Ok(())
}

fn server_name(uri: &Uri) -> Result<ServerName<'static>, OriginError> {
    let host = uri.host().unwrap_or_default().to_ascii_lowercase();
    let bare = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(&host);
    ServerName::try_from(bare.to_owned()).map_err(|_| OriginError::Host)
}

/// The port by its text: the URI type takes one that is out of range for none at all.
fn port(uri: &Uri, encrypted: bool) -> Result<u16, OriginError> {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    match authority.strip_prefix(uri.host().unwrap_or_default()).unwrap_or_default() {
        "" => Ok(own_port(encrypted)),
        text => match text.trim_start_matches(':').parse() {
            Ok(port @ 1..) => Ok(port),
            _ => Err(OriginError::Port),
        },
    }
}

fn own_port(encrypted: bool) -> u16 {
    if encrypted { 443 } else { 80 }
}

fn is_loopback(host: &ServerName<'_>) -> bool {
    match host {
        ServerName::DnsName(name) => name.as_ref() == "localhost",
        ServerName::IpAddress(address) => std::net::IpAddr::from(*address).is_loopback(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_meant_is_read() {
        for (text, shown, host, port) in [
            ("https://msg.intspineservices.nhs.uk", "", "msg.intspineservices.nhs.uk", 443),
            ("https://msg.intspineservices.nhs.uk:443/", "", "msg.intspineservices.nhs.uk", 443),
            ("HTTPS://MSG.intspineservices.nhs.uk", "", "msg.intspineservices.nhs.uk", 443),
            ("https://localhost:8700", "https://localhost:8700", "localhost", 8700),
            ("http://localhost", "http://localhost", "localhost", 80),
            ("http://127.0.0.2:443", "http://127.0.0.2:443", "127.0.0.2", 443),
            ("http://[::1]:80", "http://[::1]", "::1", 80),
            ("https://[2001:db8::1]:8443/", "https://[2001:db8::1]:8443", "2001:db8::1", 8443),
        ] {
            let url = Origin::parse(text).unwrap();
            let shown = if shown.is_empty() { "https://msg.intspineservices.nhs.uk" } else { shown };
            assert_eq!((url.to_string().as_str(), url.host().as_str(), url.port()), (shown, host, port));
        }
    }

    #[test]
    fn live_mesh_is_told_from_integration_however_it_is_written() {
        for (url, live) in [
            ("https://mesh-sync.spineservices.nhs.uk", true),
            ("https://MESH-SYNC.SpineServices.nhs.uk:443", true),
            ("https://msg.spineservices.nhs.uk", true),
            ("https://mesh-sync.national.ncrs.nhs.uk.", true),
            ("https://another.spineservices.nhs.uk", true),
            ("https://msg.intspineservices.nhs.uk", false),
            ("https://msg.depspineservices.nhs.uk", false),
            ("https://msg.int.spine2.ncrs.nhs.uk", false),
            ("https://spineservices.nhs.uk.example.org", false),
            ("https://localhost:8700", false),
        ] {
            assert_eq!(Origin::parse(url).unwrap().is_live_mesh(), live, "{url}");
        }
    }

    #[test]
    fn what_is_not_meant_is_refused() {
        for (text, what) in [
            ("msg.intspineservices.nhs.uk", "is no URL: it has no scheme"),
            ("ftp://a", "has a scheme other than https"),
            ("https://user:password@a", "has a user name or password in it"),
            ("https://a/messageexchange", "has a path"),
            ("https://a//", "has a path"),
            ("https://a?x", "has a query or a fragment"),
            ("https://a/#x", "has a query or a fragment"),
            ("https://", "is no URL: host or port is malformed"),
            ("https://a b", "is no URL: host or port is malformed"),
            ("https://a_b!", "has a host that is neither a name nor an IP address"),
            ("https://a:0", "has a port that is not in 1 to 65535"),
            ("https://a:", "has a port that is not in 1 to 65535"),
            ("https://a:65536", "has a port that is not in 1 to 65535"),
            ("https://[::1]:x", "has a port that is not in 1 to 65535"),
        ] {
            assert_eq!(Origin::parse(text).unwrap_err().to_string(), what, "{text}");
        }
    }

    #[test]
    fn nothing_goes_beyond_loopback_in_the_clear() {
        for host in [
            "a",
            "localhost.nhs.uk",
            "10.0.0.1",
            "0.0.0.0",
            "[::]",
            "[::ffff:127.0.0.1]",
            "127.1",
            "0x7f.0.0.1",
        ] {
            assert!(Origin::parse(&format!("http://{host}")).is_err(), "{host}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again(host in "[a-z][a-z0-9]{0,10}(\\.[a-z][a-z0-9]{0,10}){0,3}", port in 1..u16::MAX) {
            let url = Origin::parse(&format!("https://{host}:{port}")).unwrap();
            prop_assert_eq!(Origin::parse(&url.to_string()), Ok(url));
        }

        #[test]
        fn no_text_stops_the_parser(text in "(https?://)?\\PC{0,40}") {
            let _ = Origin::parse(&text);
        }
    }
}
