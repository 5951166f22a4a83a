//! The configured secrets in every form in which one could turn up.

use std::fmt;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use secrecy::{ExposeSecret, SecretString};

/// One secret and the name under which a person knows it.
#[derive(Debug, Clone)]
pub struct Secret {
    /// Where it is configured, such as `mailboxes.product.password`.
    pub name: String,
    value: SecretString,
}

impl Secret {
    /// A secret by the name of its place in the configuration.
    #[must_use]
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: SecretString::from(value.into()) }
    }

    fn forms(&self) -> Vec<Vec<u8>> {
        let raw = self.value.expose_secret();
        let bytes = raw.as_bytes();
        if bytes.len() < SHORTEST {
            return Vec::new();
        }
        let form: String = form_urlencoded::byte_serialize(bytes).collect();
        let mut forms = vec![
            bytes.to_vec(),
            serde_json::Value::from(raw).to_string().trim_matches('"').as_bytes().to_vec(),
            lower_percent(&form).into_bytes(),
            form.into_bytes(),
            percent(bytes).into_bytes(),
            lower_percent(&percent(bytes)).into_bytes(),
            hex(bytes).into_bytes(),
            hex(bytes).to_uppercase().into_bytes(),
            markup(raw, "&#39;").into_bytes(),
            markup(raw, "&apos;").into_bytes(),
            markup(raw, "'").replace("&gt;", ">").replace("&quot;", "\"").into_bytes(),
        ];
        forms.extend(json_forms(raw).into_iter().map(String::into_bytes));
        forms.extend(base64_forms(bytes));
        forms.sort();
        forms.dedup();
        forms
    }
}

/// All configured secrets, ready to be looked for.
#[derive(Clone)]
pub struct SecretSet {
    names: Vec<String>,
    owners: Vec<usize>,
    forms: Vec<Vec<u8>>,
    automaton: AhoCorasick,
}

impl SecretSet {
    /// Prepares the search.
    ///
    /// Secrets of fewer than four bytes are passed over: they cannot be told from ordinary text.
    #[must_use]
    pub fn new(secrets: &[Secret]) -> Self {
        let mut patterns = Vec::new();
        let mut owners = Vec::new();
        for (index, secret) in secrets.iter().enumerate() {
            for form in secret.forms() {
                patterns.push(form);
                owners.push(index);
            }
        }
        // A few dozen short patterns stay far below every limit of the automaton.
        #[expect(clippy::expect_used, reason = "fails only beyond 2^31 patterns or states")]
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&patterns)
            .expect("a few short patterns make an automaton");
        Self {
            names: secrets.iter().map(|secret| secret.name.clone()).collect(),
            owners,
            forms: patterns,
            automaton,
        }
    }

    /// The names of the secrets that occur in `bytes`, each once, in the order of the configuration.
    #[must_use]
    pub fn found_in(&self, bytes: &[u8]) -> Vec<&str> {
        let mut found: Vec<usize> =
            self.automaton.find_iter(bytes).map(|hit| self.owners[hit.pattern()]).collect();
        found.sort_unstable();
        found.dedup();
        found.into_iter().map(|index| self.names[index].as_str()).collect()
    }

    /// `bytes` with every form of every secret replaced by the mark.
    #[must_use]
    pub fn masked(&self, bytes: &[u8]) -> Vec<u8> {
        let marks = vec![MARK; self.owners.len()];
        self.automaton.replace_all_bytes(bytes, &marks)
    }

    /// The same for what was broken off: a secret that it breaks off in is masked, too.
    #[must_use]
    pub fn masked_beginning(&self, bytes: &[u8]) -> Vec<u8> {
        let mut masked = self.masked(bytes);
        let begun =
            |form: &Vec<u8>| (SHORTEST..form.len()).rev().find(|length| masked.ends_with(&form[..*length]));
        if let Some(length) = self.forms.iter().filter_map(begun).max() {
            masked.truncate(masked.len() - length);
            masked.extend_from_slice(MARK);
        }
        masked
    }
}

impl fmt::Debug for SecretSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretSet").field("names", &self.names).finish_non_exhaustive()
    }
}

const SHORTEST: usize = 4;

/// What stands where a secret stood.
pub const MARK: &[u8] = b"[redacted]";

impl Default for SecretSet {
    fn default() -> Self {
        Self::new(&[])
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Percent-encoding as RFC 3986 has it: a blank is `%20`, unlike in a form.
fn percent(bytes: &[u8]) -> String {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    bytes
        .iter()
        .map(|byte| if unreserved(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// The same with digits in lower case, as .NET writes them.
fn lower_percent(encoded: &str) -> String {
    let mut pieces = encoded.split('%');
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| {
        let (digits, rest) = piece.split_at_checked(2).unwrap_or((piece, ""));
        format!("{text}%{}{rest}", digits.to_lowercase())
    })
}

/// JSON of those that escape more than they must: Python what is no ASCII, PHP the slash too, .NET and Gson what
/// has a meaning in HTML.
fn json_forms(text: &str) -> [String; 4] {
    let python = json(text, "", |unit| format!("{unit:04x}"));
    let php = python.replace('/', "\\/");
    let net = json(text, "\"&'+<>`", |unit| format!("{unit:04X}"));
    let gson = json(text, "&'<=>", |unit| format!("{unit:04x}"));
    [python, php, net, gson]
}

/// What stands between the quotes: `\u` and digits for what is no ASCII, and for `more`.
fn json(text: &str, more: &str, digits: fn(u16) -> String) -> String {
    let one = |character: char| match character {
        other if !other.is_ascii() || more.contains(other) => {
            other.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{}", digits(*unit))).collect()
        }
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        other => other.to_string(),
    };
    text.chars().map(one).collect()
}

fn markup(text: &str, apostrophe: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', apostrophe)
}

/// Base64 of the secret at each of the three places where it can start within a longer text.
/// Digits that depend on the neighbours are left off, and forms of under six digits with them:
/// those turn up by chance.
fn base64_forms(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    for offset in 0..3 {
        let padded: Vec<u8> = std::iter::repeat_n(0, offset).chain(bytes.iter().copied()).collect();
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let text = engine.encode(&padded);
            let from = (offset * 8).div_ceil(6);
            let to = padded.len() * 8 / 6;
            if to >= from + 6 {
                forms.push(text.as_bytes()[from..to].to_vec());
            }
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(value: &str) -> SecretSet {
        SecretSet::new(&[Secret::new("password", value)])
    }

    #[test]
    fn every_form_is_found() {
        let secret = "p&ss \"wörd'+/£9";
        let standard = base64::engine::general_purpose::STANDARD;
        for text in [
            secret.to_owned(),
            format!("before{secret}after"),
            serde_json::json!({ "a": secret }).to_string(),
            "a=p%26ss+%22w%C3%B6rd%27%2B%2F%C2%A39".to_string(),
            "a=p%26ss%20%22w%C3%B6rd%27%2B%2F%C2%A39".to_string(),
            "a=p%26ss+%22w%c3%b6rd%27%2b%2f%c2%a39".to_string(),
            "a=p%26ss%20%22w%c3%b6rd%27%2b%2f%c2%a39".to_string(),
            r#""p&ss \"w\u00f6rd'+/\u00a39""#.to_owned(),
            r#""p&ss \"w\u00f6rd'+\/\u00a39""#.to_owned(),
            r#""p\u0026ss \u0022w\u00F6rd\u0027\u002B/\u00A39""#.to_owned(),
            r#""p\u0026ss \"w\u00f6rd\u0027+/\u00a39""#.to_owned(),
            "p&amp;ss \"wörd'+/£9".to_owned(),
            hex(secret.as_bytes()),
            hex(secret.as_bytes()).to_uppercase(),
            "p&amp;ss &quot;wörd&#39;+/£9".to_owned(),
            standard.encode(secret),
            standard.encode(format!("x{secret}y")),
            standard.encode(format!("xy{secret}")),
        ] {
            assert_eq!(set(secret).found_in(text.as_bytes()), ["password"], "{text}");
            assert_eq!(
                set(secret).found_in(&set(secret).masked(text.as_bytes())),
                Vec::<&str>::new(),
                "{text}"
            );
        }
    }

    #[test]
    fn a_secret_that_is_broken_off_is_masked_too() {
        let set = SecretSet::new(&[Secret::new("a", "hunter2hunter2"), Secret::new("b", "Back&Bone")]);
        for (text, masked) in [
            ("it is hunter2hun", "it is [redacted]"),
            ("it is hunter2hunter2", "it is [redacted]"),
            ("hunter2hunter2Back&am", "[redacted][redacted]"),
            ("it is a hunt", "it is a [redacted]"),
            ("it is a hun", "it is a hun"),
            ("", ""),
        ] {
            assert_eq!(String::from_utf8(set.masked_beginning(text.as_bytes())).unwrap(), masked);
        }
        assert_eq!(format!("{set:?}"), r#"SecretSet { names: ["a", "b"], .. }"#);
    }

    #[test]
    fn an_empty_secret_and_an_empty_set_are_nowhere() {
        assert!(set("").found_in(b"anything").is_empty());
        assert!(set("any").found_in(b"anything").is_empty());
        assert!(SecretSet::default().found_in(b"anything").is_empty());
        assert_eq!(SecretSet::default().masked(b"anything"), b"anything");
    }

    #[test]
    fn debug_shows_no_secret() {
        assert!(!format!("{:?}", Secret::new("password", "hunter2")).contains("hunter2"));
    }

    proptest! {
        #[test]
        fn whatever_surrounds_it_base64_does_not_hide_it(
            secret in "[!-~]{6,30}",
            before in proptest::collection::vec(any::<u8>(), 0..10),
            after in proptest::collection::vec(any::<u8>(), 0..10),
        ) {
            let whole = [before, secret.clone().into_bytes(), after].concat();
            let encoded = base64::engine::general_purpose::STANDARD.encode(whole);
            prop_assert!(!set(&secret).found_in(encoded.as_bytes()).is_empty());
        }
    }
}
