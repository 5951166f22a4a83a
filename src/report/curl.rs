//! A request as a curl command line that anybody can play again, with secrets as shell variables.

use crate::tape::{Exchange, Header};

/// Values longer than this stand as shell variables, in bytes: nobody copies them from a page.
const MAX_VALUE: usize = 2 * 1024;
/// Requests with more headers than this have no command line.
const MAX_HEADERS: usize = 100;
/// Bodies larger than this make curl ask the server first, unless told not to; in bytes.
const EXPECT_FROM: u64 = 1024 * 1024;

/// The command line, over several lines; `None` when the request cannot be written as one.
///
/// It sends the headers of the tape and no others: those that curl would add are taken out. The
/// token, the client's certificate and key, and the body come from the reader:
/// `$MESH_TOKEN`, `$MESH_CLIENT_CERT`, `$MESH_CLIENT_KEY`, `$MESH_CA_FILE`, and the file `payload`.
pub(super) fn command(exchange: &Exchange) -> Option<String> {
    let head = &exchange.request.head;
    if head.headers.len() > MAX_HEADERS || head.method.is_empty() {
        return None;
    }
    let has_body = exchange.request.body.size > 0;
    let mut parts = vec![if head.method == "HEAD" {
        "curl --globoff --path-as-is --include --head".to_owned()
    } else {
        format!("curl --globoff --path-as-is --include --request {}", quoted(&head.method))
    }];
    parts.extend(identity(exchange));
    parts.extend(
        head.headers.iter().enumerate().filter_map(|(at, header)| sent(at, header, exchange, has_body)),
    );
    parts.extend(withheld(exchange, has_body));
    if has_body {
        parts.push("--data-binary @payload".to_owned());
    }
    parts.push(url(exchange));
    Some(parts.join(" \\\n  "))
}

/// Which certificates are used. A client that is known to have presented none presents none.
fn identity(exchange: &Exchange) -> Option<String> {
    let presented = exchange.tls.as_ref().is_none_or(|tls| tls.client_certificate.is_some());
    let authority = r#"--cacert "$MESH_CA_FILE""#;
    exchange.origin.starts_with("https:").then(|| {
        if presented {
            format!(r#"--cert "$MESH_CLIENT_CERT" --key "$MESH_CLIENT_KEY" {authority}"#)
        } else {
            authority.to_owned()
        }
    })
}

/// A header as an option. `None` for those that curl makes itself, and for names that are no tokens:
/// curl would read `@name` as a file.
fn sent(at: usize, header: &Header, exchange: &Exchange, has_body: bool) -> Option<String> {
    let Header { name, value } = header;
    let is = |other: &str| name.eq_ignore_ascii_case(other);
    let authority = exchange.origin.split_once("://").map(|(_, authority)| authority);
    if !is_token(name)
        || (is("host") && Some(value.as_str()) == authority)
        || (is("content-length") && has_body)
    {
        None
    } else if is("authorization") {
        Some(format!(r#"-H "{name}: $MESH_TOKEN""#))
    } else if value.len() > MAX_VALUE {
        Some(format!(r#"-H {}"$MESH_HEADER_{}""#, quoted(&format!("{name}: ")), at + 1))
    } else if value.is_empty() {
        Some(format!("-H {}", quoted(&format!("{name};"))))
    } else {
        Some(format!("-H {}", quoted(&format!("{name}: {value}"))))
    }
}

/// What curl would send of its own accord, taken out.
fn withheld(exchange: &Exchange, has_body: bool) -> impl Iterator<Item = String> {
    let large = exchange.request.body.size > EXPECT_FROM;
    [("Accept", true), ("User-Agent", true), ("Content-Type", has_body), ("Expect", large)]
        .into_iter()
        .filter(|(name, adds)| *adds && exchange.request.head.header(name).is_none())
        .map(|(name, _)| format!("-H '{name}:'"))
}

fn url(exchange: &Exchange) -> String {
    let url = super::exchanges::url(exchange);
    if url.len() > MAX_VALUE {
        r#"--url "$MESH_REQUEST_URL""#.to_owned()
    } else {
        format!("--url {}", quoted(&url))
    }
}

fn is_token(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Quoted so that a shell takes every character as it is.
pub fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.,:/=+@".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

// They ask a shell what it makes of a line.
#[cfg(all(test, unix))]
mod tests {
    use std::process::Command;

    use super::super::{exchanges, fixtures::Wire};
    use super::*;

    /// The arguments that `sh` makes of the line; `$MESH_TOKEN` and the like become their own names.
    fn arguments(line: &str) -> Vec<String> {
        let script = format!("curl() {{ printf '%s\\0' \"$@\"; }}\n{line}");
        let variables = ["TOKEN", "CLIENT_CERT", "CLIENT_KEY", "CA_FILE", "HEADER_5", "REQUEST_URL"];
        let set = variables.map(|name| (format!("MESH_{name}"), format!("<{name}>")));
        let folder = tempfile::tempdir().unwrap();
        let output =
            Command::new("sh").args(["-euc", &script]).envs(set).current_dir(&folder).output().unwrap();
        assert_eq!(folder.path().read_dir().unwrap().count(), 0, "a command was run: {line}");
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}\n{line}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.split_terminator('\0').map(str::to_owned).collect()
    }

    fn after<'a>(arguments: &'a [String], option: &str) -> Vec<&'a str> {
        arguments.windows(2).filter(|pair| pair[0] == option).map(|pair| pair[1].as_str()).collect()
    }

    #[test]
    fn a_send_is_played_as_it_was() {
        let exchange = Wire::send("X26ABC1").body(b"hello").exchange();
        let arguments = arguments(&command(&exchange).unwrap());
        assert_eq!(after(&arguments, "--request"), ["POST"]);
        assert_eq!(after(&arguments, "--cert"), ["<CLIENT_CERT>"]);
        assert_eq!(after(&arguments, "--key"), ["<CLIENT_KEY>"]);
        assert_eq!(after(&arguments, "--cacert"), ["<CA_FILE>"]);
        assert_eq!(after(&arguments, "--data-binary"), ["@payload"]);
        assert_eq!(after(&arguments, "--url"), ["https://127.0.0.1:8700/messageexchange/X26ABC1/outbox"]);
        let headers = after(&arguments, "-H");
        assert!(headers.contains(&"Authorization: <TOKEN>"), "{headers:?}");
        assert!(headers.contains(&"Mex-To: X26ABC2"), "{headers:?}");
        assert!(headers.contains(&"User-Agent:") && !headers.contains(&"Content-Type:"), "{headers:?}");
        assert!(
            !headers.iter().any(|header| header.starts_with("Host") || header.starts_with("Content-Length"))
        );
    }

    #[test]
    fn no_value_breaks_out_of_its_quotes() {
        let hostile = [
            "'; touch pwned; '",
            "$(touch pwned)",
            "`touch pwned`",
            "\" && touch pwned \"",
            "a\\",
            "\\'",
            "!x",
            "tab\there",
            "~ * ? [a] {b,c} # | & ; < >",
            "grün €",
        ];
        for value in hostile {
            let exchange = Wire::handshake("X26ABC1").header("X-Hostile", value).exchange();
            let arguments = arguments(&command(&exchange).unwrap());
            let shown = format!("X-Hostile: {value}");
            assert!(after(&arguments, "-H").contains(&shown.as_str()), "{value:?} became {arguments:?}");

            let exchange = Wire::new(&format!("M{value}"), &format!("/{value}"), "X26ABC1").exchange();
            let head = &exchange.request.head;
            let arguments = self::arguments(&command(&exchange).unwrap());
            assert_eq!(after(&arguments, "--request"), [head.method.as_str()]);
            assert_eq!(after(&arguments, "--url"), [exchanges::url(&exchange)]);
        }
    }

    #[test]
    fn odd_headers_are_left_out_or_stand_as_variables() {
        let exchange = Wire::handshake("X26ABC1")
            .header("X-$(id)`id`", &"v".repeat(50_000))
            .header("@/etc/passwd", "x")
            .header("Empty", "")
            .exchange();
        let line = command(&exchange).unwrap();
        assert!(line.len() < 2_000 && !line.contains("passwd"), "{line}");
        assert!(after(&arguments(&line), "-H").contains(&"Empty;"), "{line}");
        let exchange = Wire::handshake("X26ABC1").header("X-$`id`", &"v".repeat(50_000)).exchange();
        let arguments = arguments(&command(&exchange).unwrap());
        assert!(after(&arguments, "-H").contains(&"X-$`id`: <HEADER_5>"), "{arguments:?}");
    }

    #[test]
    fn a_client_that_presented_no_certificate_presents_none() {
        let exchange = Wire::handshake("X26ABC1").without_client_certificate().exchange();
        let arguments = arguments(&command(&exchange).unwrap());
        assert!(after(&arguments, "--cert").is_empty());
        assert_eq!(after(&arguments, "--cacert"), ["<CA_FILE>"]);
    }

    #[test]
    fn what_cannot_be_written_has_no_line() {
        let many = (0..=MAX_HEADERS).fold(Wire::handshake("X26ABC1"), |wire, _| wire.header("X", "y"));
        assert_eq!(command(&many.exchange()), None);
    }
}
