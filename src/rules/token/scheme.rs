//! What stands around the fields: the scheme word, and what does not belong there.

use super::TokenPart;
use crate::{protocol::SCHEME, tape::TokenFault};

/// What other schemes are called, which may be told.
const OTHERS: [&str; 5] = ["Bearer", "Basic", "Digest", "HMAC", "Token"];

/// Takes off what is wrapped around a value, and says so.
pub(super) fn wrapping(value: &str) -> (Vec<TokenPart>, &str) {
    let (mut parts, mut value) = (Vec::new(), value);
    let quotes = ['"', '\''].into_iter();
    if let Some(inner) = quotes.filter_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote)).next() {
        let what = "it stands in quotation marks";
        parts.push(TokenPart::wrong("header", what, TokenFault::Scheme.demand()).mend("Take them off."));
        value = inner.trim();
    }
    if let Some(inner) = header_value(value) {
        let what = "it begins with the header's name";
        parts.push(TokenPart::wrong("header", what, TokenFault::Scheme.demand()).mend(
            "Take \"Authorization:\" out of the value: the OpenAPI's own example has it there by mistake. If you gave a whole header line, say so with --header.",
        ));
        value = inner;
    }
    (parts, value)
}

/// What follows `Authorization:` in a header's line, in whatever case.
#[must_use]
pub fn header_value(value: &str) -> Option<&str> {
    let (name, rest) = value.split_once(':')?;
    name.trim().eq_ignore_ascii_case("authorization").then(|| rest.trim_start())
}

/// The scheme word with what follows it, and the fields.
pub(super) fn scheme(value: &str) -> (TokenPart, &str) {
    let name = "scheme";
    let wrong = |what: String| {
        TokenPart::wrong(name, what, TokenFault::Scheme.demand())
            .mend("Begin with NHSMESH, in upper case, and exactly one blank; the mailbox ID follows it.")
    };
    let begins = value.get(..SCHEME.len()).is_some_and(|word| word.eq_ignore_ascii_case(SCHEME));
    if begins {
        let (word, behind) = value.split_at(SCHEME.len());
        let fields = behind.trim_start_matches([' ', '\t', ':']);
        let between = &behind[..behind.len() - fields.len()];
        let separator = match between {
            " " => None,
            "" => Some("nothing"),
            ":" | ": " => Some("a colon"),
            _ if between.bytes().all(|byte| byte == b' ') => Some("more than one blank"),
            _ if between.contains('\t') => Some("a tab"),
            _ => Some("something else than one blank"),
        };
        let part = match (word == SCHEME, separator) {
            (true, None) => TokenPart::right(name, "NHSMESH and one blank"),
            (true, Some(separator)) => wrong(format!("NHSMESH is followed by {separator}")),
            (false, None) => wrong("NHSMESH is not in upper case".to_owned()),
            (false, Some(separator)) => {
                wrong(format!("NHSMESH is not in upper case, and is followed by {separator}"))
            }
        };
        return (part, fields);
    }
    let word = value.split_once(' ').filter(|(word, _)| word.bytes().all(|byte| byte.is_ascii_alphabetic()));
    match word {
        Some((word, rest)) => {
            let known = OTHERS.into_iter().find(|other| other.eq_ignore_ascii_case(word));
            let what = known.map_or_else(
                || "there is another word in its place".to_owned(),
                |other| format!("it is {other}, another scheme"),
            );
            (wrong(what), rest.trim_start())
        }
        None => (wrong("it is missing".to_owned()), value),
    }
}
