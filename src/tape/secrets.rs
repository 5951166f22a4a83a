//! The configured secrets in every form in which one could turn up.

use std::{collections::BTreeSet, fmt, iter, ops::Range};

use aho_corasick::{AhoCorasick, MatchKind};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use secrecy::{ExposeSecret, SecretString};

use super::reading::Reading;

/// One secret and the name under which a person knows it.
#[derive(Debug, Clone)]
pub struct Secret {
    /// Where it is configured, such as `mailboxes.product.password`.
    pub name: String,
    value: SecretString,
    is_key: bool,
}

impl Secret {
    /// What is shorter, in bytes, is neither taken out nor searched for: it could not be told from ordinary text.
    pub const SHORTEST: usize = SHORTEST;

    /// A secret by the name of its place in the configuration.
    #[must_use]
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: SecretString::from(value.into()), is_key: false }
    }

    /// A private key in DER. It is found as PEM has it, in lines of whatever length.
    #[must_use]
    pub fn key(name: impl Into<String>, der: &[u8]) -> Self {
        Self { name: name.into(), value: SecretString::from(STANDARD.encode(der)), is_key: true }
    }

    /// What to look for, in a text and in its [`Reading`].
    fn forms(&self) -> Vec<Vec<u8>> {
        let raw = self.value.expose_secret();
        if raw.len() < SHORTEST {
            return Vec::new();
        }
        if self.is_key {
            return vec![raw.as_bytes().to_vec()];
        }
        // In forms a blank is a plus; a reading has no backslash, whatever it would have meant.
        let mut forms = vec![raw.replace(' ', "+").into_bytes(), raw.replace('\\', "").into_bytes()];
        for bytes in encodings(raw) {
            forms.extend(numbers(&bytes));
            forms.extend(base64_forms(&bytes));
            forms.push(bytes);
        }
        let as_read = |form: &Vec<u8>| Reading::of(form).map(|reading| reading.bytes);
        let as_read: Vec<Vec<u8>> = forms.iter().filter_map(as_read).collect();
        forms.extend(as_read);
        forms.retain(|form| form.len() >= SHORTEST);
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
    /// Secrets of fewer than [`Secret::SHORTEST`] bytes are passed over, so a configuration with one is refused.
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
            .match_kind(MatchKind::Standard)
            .build(&patterns)
            .expect("a few short patterns make an automaton");
        Self {
            names: secrets.iter().map(|secret| secret.name.clone()).collect(),
            owners,
            forms: patterns,
            automaton,
        }
    }

    /// Whether there is nothing to look for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.forms.is_empty()
    }

    /// The names of the secrets that occur in `bytes`, each once, in the order of the configuration.
    #[must_use]
    pub fn found_in(&self, bytes: &[u8]) -> Vec<&str> {
        if self.forms.is_empty() {
            return Vec::new();
        }
        let mut found: BTreeSet<usize> = self.owners_in(bytes).collect();
        if let Some(reading) = Reading::of(bytes) {
            found.extend(self.owners_in(&reading.bytes));
        }
        found.into_iter().map(|index| self.names[index].as_str()).collect()
    }

    /// With all that overlap: one may not hide another.
    fn owners_in(&self, bytes: &[u8]) -> impl Iterator<Item = usize> {
        self.automaton.find_overlapping_iter(bytes).map(|hit| self.owners[hit.pattern()])
    }

    /// `bytes` with every form of every secret replaced by the mark.
    #[must_use]
    pub fn masked(&self, bytes: &[u8]) -> Vec<u8> {
        blotted(bytes, self.places(bytes), MARK)
    }

    /// The same for what was broken off: a secret that it breaks off in is masked, too.
    #[must_use]
    pub fn masked_beginning(&self, bytes: &[u8]) -> Vec<u8> {
        let mut places = self.places(bytes);
        let begun = |text: &[u8]| {
            let lengths =
                |form: &Vec<u8>| (SHORTEST..form.len()).rev().find(|length| text.ends_with(&form[..*length]));
            self.forms.iter().filter_map(lengths).max().map(|length| text.len() - length)
        };
        places.extend(begun(bytes).map(|start| start..bytes.len()));
        if let Some(reading) = Reading::of_beginning(bytes)
            && let Some(start) = begun(&reading.bytes)
        {
            places.push(reading.source(start..reading.bytes.len()).start..bytes.len());
        }
        blotted(bytes, places, MARK)
    }

    /// Where secrets stand, in any order, overlaps among them.
    fn places(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        if self.forms.is_empty() {
            return Vec::new();
        }
        let hits = |text: &[u8]| -> Vec<Range<usize>> {
            self.automaton.find_overlapping_iter(text).map(|hit| hit.range()).collect()
        };
        let mut places = hits(bytes);
        if let Some(reading) = Reading::of(bytes) {
            places.extend(hits(&reading.bytes).into_iter().map(|part| reading.source(part)));
        }
        places
    }
}

/// `bytes` with a mark at each of these places; one for places that overlap.
pub(super) fn blotted(bytes: &[u8], mut places: Vec<Range<usize>>, mark: &[u8]) -> Vec<u8> {
    places.sort_by_key(|place| place.start);
    let mut blotted = Vec::with_capacity(bytes.len());
    let mut end = 0;
    for (index, place) in places.iter().enumerate() {
        if place.start >= end || index == 0 {
            blotted.extend_from_slice(&bytes[end..place.start]);
            blotted.extend_from_slice(mark);
        }
        end = end.max(place.end);
    }
    blotted.extend_from_slice(&bytes[end..]);
    blotted
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

/// As bytes: in UTF-8, and as Windows and old HTTP libraries have text.
fn encodings(text: &str) -> Vec<Vec<u8>> {
    let utf16 = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin1: Option<Vec<u8>> = text.chars().map(|character| u8::try_from(character).ok()).collect();
    iter::once(text.as_bytes().to_vec()).chain([utf16]).chain(latin1).collect()
}

/// Bytes as digits: hexadecimal, together or apart, and decimal as lists of numbers are printed.
fn numbers(bytes: &[u8]) -> Vec<Vec<u8>> {
    let list = |write: fn(&u8) -> String, between: &str| {
        bytes.iter().map(write).collect::<Vec<_>>().join(between).into_bytes()
    };
    let hex = ["", ":", "-", " "].into_iter().flat_map(|between| {
        [list(|byte| format!("{byte:02x}"), between), list(|byte| format!("{byte:02X}"), between)]
    });
    let decimal = [",", ", "].map(|between| list(ToString::to_string, between));
    // A few small numbers in a row turn up by chance.
    hex.chain(decimal.into_iter().filter(|_| bytes.len() >= 8)).collect()
}

/// Base64 of the secret at each of the three places where it can start within a longer text.
/// Digits that depend on the neighbours are left off, and forms of under six digits with them:
/// those turn up by chance.
pub(super) fn base64_forms(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    for offset in 0..3 {
        let padded: Vec<u8> = iter::repeat_n(0, offset).chain(bytes.iter().copied()).collect();
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

    fn escaped(text: &str, byte: fn(u8) -> String) -> String {
        text.bytes().map(byte).collect()
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
            // Each character escaped, and some, in whatever case.
            escaped(secret, |c| format!("%{c:02x}")),
            "p%26s%73 %22w%C3%b6rd'+/%c2%A39".to_owned(),
            escaped(secret, |c| format!("\\x{c:02X}")),
            escaped(secret, |c| format!("\\{c:03o}")),
            secret.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect(),
            secret.chars().map(|c| format!("&#{};", u32::from(c))).collect(),
            secret.chars().map(|c| format!("&#x{:X};", u32::from(c))).collect(),
            r#"p\&ss\ \"wörd\'+/£9"#.to_owned(),
            serde_json::json!(serde_json::json!({ "a": secret }).to_string()).to_string(),
            r#"p\\u0026ss \\\"w\\u00f6rd'+/\\u00a39"#.to_owned(),
            "p%2526ss+%2522w%25C3%25B6rd%2527%252B/%25C2%25A39".to_owned(),
            r#"<log>{&quot;a&quot;: &quot;p&amp;ss \&quot;wörd'+/£9&quot;}</log>"#.to_owned(),
            // As numbers.
            escaped(secret, |c| format!("{c:02x}")),
            escaped(secret, |c| format!("{c:02X}")),
            escaped(secret, |c| format!(":{c:02X}")),
            escaped(secret, |c| format!("{c:02x} ")),
            escaped(secret, |c| format!("{c:02x}-")),
            format!("{:?}", secret.as_bytes()),
            serde_json::to_string_pretty(secret.as_bytes()).unwrap(),
            // Over several lines.
            "p&ss \"wö\r\n    rd'+/£9".to_owned(),
            r#""p&ss \"w\u00f6\n  rd'+/£9""#.to_owned(),
            standard.encode(format!("xy{secret}")).replace('m', "m\n"),
            escaped(secret, |c| format!("{c:02x}:\n")),
            standard.encode(secret).replace('+', "%2B").replace('/', "%2F"),
            // On Windows.
            standard.encode(secret.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()),
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
    fn a_secret_that_is_broken_off_within_an_escape_is_masked_too() {
        let set = SecretSet::new(&[Secret::new("b", "Back&Bone")]);
        for text in ["Back\\u0026B", "Back\\u00", "Back%26Bo", "Back%2", "Ba\n  ck&amp;", "Back&am", "426163"]
        {
            assert_eq!(
                String::from_utf8(set.masked_beginning(text.as_bytes())).unwrap(),
                "[redacted]",
                "{text}"
            );
        }
    }

    #[test]
    fn a_secret_that_looks_escaped_itself_is_found() {
        for secret in [r#"dir\new"one\\"#, "100%25&amp;7", r"\u0041bcd\x41", "Summer&12", "Summer%2"] {
            let json = serde_json::json!({ "a": secret }).to_string();
            let again = serde_json::json!({ "b": json }).to_string();
            let url = escaped(secret, |byte| format!("%{byte:02X}"));
            for text in [secret, &json, &again, &url, &secret.replace('&', "&amp;")] {
                assert_eq!(set(secret).found_in(text.as_bytes()), ["password"], "{text}");
                assert!(set(secret).found_in(&set(secret).masked(text.as_bytes())).is_empty(), "{text}");
            }
            assert!(set(secret).found_in(br#"It was a Summer\nof 100 & more"#).is_empty());
        }
    }

    #[test]
    fn of_secrets_that_overlap_nothing_is_left() {
        let set = SecretSet::new(&[Secret::new("a", "password"), Secret::new("b", "words and worse")]);
        assert_eq!(set.found_in(b"passwords and worse"), ["a", "b"]);
        assert_eq!(set.masked(b"(passwords and worse)"), b"([redacted])");
    }

    #[test]
    fn text_that_only_looks_alike_stays_as_it_is() {
        let text = br#"{"a":"100 % of C:\new &c; &amp; pass\nword", "b": "p a s s w o r d", "c": "passw%6"}"#;
        assert_eq!(set("passwore").masked(text), text);
        assert_eq!(set("p+q+r+s").masked(b"p q r s"), b"p q r s");
    }

    #[test]
    fn a_key_is_found_in_lines_of_whatever_length_and_its_certificate_is_no_key() {
        let key = rcgen::KeyPair::generate().unwrap();
        let set = SecretSet::new(&[Secret::key("client_key_file", &key.serialize_der())]);
        let base64 = STANDARD.encode(key.serialize_der());
        let in_json = serde_json::json!({ "key": key.serialize_pem() }).to_string();
        for text in [key.serialize_pem(), base64.clone(), base64.replace('A', "A\r\n"), in_json] {
            assert_eq!(set.found_in(text.as_bytes()), ["client_key_file"]);
            assert!(set.found_in(&set.masked(text.as_bytes())).is_empty());
        }
        let certificate = rcgen::CertificateParams::default().self_signed(&key).unwrap();
        assert!(set.found_in(certificate.pem().as_bytes()).is_empty());
        assert!(set.found_in(key.public_key_pem().as_bytes()).is_empty());
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

        /// Each character as it is or escaped, lines broken anywhere but within an escape.
        #[test]
        fn whatever_is_escaped_and_wherever_a_line_breaks_it_is_found(
            secret in "[ -\\[\\]-~é€]{4,20}",
            way in 0..4,
            choices in proptest::collection::vec((0..3, 0..4), 20),
        ) {
            let written = |character: char, choice: i32| match way {
                _ if choice == 0 && !"%\\&".contains(character) => character.to_string(),
                0 => escaped(character.encode_utf8(&mut [0; 4]), |byte| format!("%{byte:02x}")),
                1 => character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04X}")).collect(),
                2 => escaped(character.encode_utf8(&mut [0; 4]), |byte| format!("\\x{byte:02x}")),
                _ => format!("&#{};", u32::from(character)),
            };
            let mut text = String::new();
            for (character, (choice, wrap)) in secret.chars().zip(choices) {
                text.push_str(&written(character, choice));
                // Blanks at the beginning of a line are indentation.
                if wrap == 0 && !secret.contains(' ') {
                    text.push_str("\r\n  ");
                }
            }
            let whole = format!("<{text}>");
            let set = set(&secret);
            prop_assert_eq!(set.found_in(whole.as_bytes()), ["password"], "{}", &whole);
            let masked = set.masked(whole.as_bytes());
            prop_assert!(masked.starts_with(b"<[redacted]") && masked.ends_with(b">"), "{}", &whole);
            prop_assert!(set.found_in(&masked).is_empty());
        }
    }
}
