//! How a hash is made, and every way in which that goes wrong.

use std::iter;

use aws_lc_rs::{digest, hmac};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{NaiveDateTime, TimeDelta};
use uuid::Uuid;

use super::{
    HashMistake, HashOf, Slip,
    given::{base64, hex},
};
use crate::protocol::{SCHEME, hexadecimal};

/// What goes into a hash, and how. No `Debug`: it has the secrets.
#[derive(Clone)]
pub(super) struct Recipe {
    function: Function,
    before: &'static str,
    /// Places in `fields`.
    order: Vec<usize>,
    separator: &'static str,
    behind: &'static str,
    /// As the text has them: mailbox, nonce, count, password, timestamp.
    fields: [Vec<u8>; 5],
    key: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    HmacSha256,
    HmacSha1,
    HmacSha384,
    HmacSha512,
    Plain,
    PlainKeyInFront,
    PlainKeyBehind,
}

/// One way in which a recipe goes wrong.
pub(super) struct Change {
    pub mistake: HashMistake,
    pub part: Part,
    /// One of so many of its kind that it is tried alone only.
    pub is_rare: bool,
    pub apply: Box<dyn Fn(&mut Recipe)>,
}

/// What a change is about: two of the same do not go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Function,
    Text,
    Mailbox,
    Nonce,
    Count,
    Time,
    Password,
    Key,
    Secrets,
}

const MAILBOX: usize = 0;
const NONCE: usize = 1;
const COUNT: usize = 2;
const PASSWORD: usize = 3;
const TIME: usize = 4;
/// What the fields are called.
const NAMES: [&str; 5] = ["mailbox", "nonce", "count", "password", "timestamp"];

impl Recipe {
    /// As the OpenAPI has it.
    pub fn right(of: &HashOf<'_>) -> Self {
        let [mailbox, nonce, count, time] = of.fields;
        let fields = [mailbox, nonce, count, of.password.expose(), time];
        Self {
            function: Function::HmacSha256,
            before: "",
            order: vec![MAILBOX, NONCE, COUNT, PASSWORD, TIME],
            separator: ":",
            behind: "",
            fields: fields.map(|field| field.as_bytes().to_vec()),
            key: of.shared_key.expose().as_bytes().to_vec(),
        }
    }

    /// The same by another function.
    pub fn with(&self, function: Function) -> Self {
        Self { function, ..self.clone() }
    }

    /// The hash.
    pub fn make(&self) -> Vec<u8> {
        let parts = self.order.iter().filter_map(|place| Some(self.fields.get(*place)?.as_slice()));
        let parts: Vec<&[u8]> = parts.collect();
        let text = parts.join(self.separator.as_bytes());
        let text = [self.before.as_bytes(), &text, self.behind.as_bytes()].concat();
        let keyed = |algorithm| hmac::sign(&hmac::Key::new(algorithm, &self.key), &text).as_ref().to_vec();
        let plain = |parts: [&[u8]; 2]| digest::digest(&digest::SHA256, &parts.concat()).as_ref().to_vec();
        match self.function {
            Function::HmacSha256 => keyed(hmac::HMAC_SHA256),
            Function::HmacSha1 => keyed(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
            Function::HmacSha384 => keyed(hmac::HMAC_SHA384),
            Function::HmacSha512 => keyed(hmac::HMAC_SHA512),
            Function::Plain => plain([&text, b""]),
            Function::PlainKeyInFront => plain([&self.key, &text]),
            Function::PlainKeyBehind => plain([&text, &self.key]),
        }
    }
}

/// Every change that is tried, those of what others have changed last.
pub(super) fn changes(of: &HashOf<'_>, right: &Recipe) -> Vec<Change> {
    let mut changes = functions();
    changes.extend(texts());
    changes.extend(slips(of.password.expose(), Part::Password));
    changes.extend(slips(of.shared_key.expose(), Part::Key));
    changes.extend(of.other_passwords.iter().map(|(name, password)| {
        set(HashMistake::PasswordOf(name.clone()), Part::Password, PASSWORD, password.expose())
    }));
    changes.extend(mailboxes(of));
    changes.extend(nonces(of.fields[1]));
    changes.extend(counts(of.fields[2]));
    changes.extend(times(of.fields[3]));
    changes.extend(secrets());
    // What changes nothing is no mistake.
    let makes = right.make();
    changes.retain(|change| {
        let mut changed = right.clone();
        (change.apply)(&mut changed);
        changed.make() != makes
    });
    changes
}

fn change(mistake: HashMistake, part: Part, apply: impl Fn(&mut Recipe) + 'static) -> Change {
    Change { mistake, part, is_rare: false, apply: Box::new(apply) }
}

fn set(mistake: HashMistake, part: Part, place: usize, value: impl AsRef<[u8]>) -> Change {
    let value = value.as_ref().to_vec();
    change(mistake, part, move |recipe| {
        if let Some(field) = recipe.fields.get_mut(place) {
            field.clone_from(&value);
        }
    })
}

impl Change {
    fn rare(self) -> Self {
        Self { is_rare: true, ..self }
    }
}

fn functions() -> Vec<Change> {
    let function = |mistake, function| {
        change(mistake, Part::Function, move |recipe| {
            // By its length it is certain which of the others it is.
            if recipe.function == Function::HmacSha256 {
                recipe.function = function;
            }
        })
    };
    vec![
        function(HashMistake::NotKeyed, Function::Plain),
        function(HashMistake::KeyInFront, Function::PlainKeyInFront),
        function(HashMistake::KeyBehind, Function::PlainKeyBehind),
    ]
}

fn texts() -> Vec<Change> {
    let order = |mistake, order: Vec<usize>| {
        change(mistake, Part::Text, move |recipe| recipe.order.clone_from(&order))
    };
    let separated =
        |mistake, separator| change(mistake, Part::Text, move |recipe| recipe.separator = separator);
    let mut texts = vec![
        order(HashMistake::HeaderOrder, vec![MAILBOX, NONCE, COUNT, TIME, PASSWORD]),
        order(HashMistake::PasswordLeftOut, vec![MAILBOX, NONCE, COUNT, TIME]),
        order(HashMistake::CountLeftOut, vec![MAILBOX, NONCE, PASSWORD, TIME]),
        separated(HashMistake::NoColons, ""),
        // One word with the blank that ends it, as it stands in the header.
        change(HashMistake::Scheme, Part::Text, |recipe| recipe.before = "NHSMESH "),
        change(HashMistake::LineEnd, Part::Text, |recipe| recipe.behind = "\n"),
        change(HashMistake::LineEnd, Part::Text, |recipe| recipe.behind = "\r\n").rare(),
        change(HashMistake::Scheme, Part::Text, |recipe| recipe.before = SCHEME).rare(),
        change(HashMistake::Scheme, Part::Text, |recipe| recipe.before = "NHSMESH:").rare(),
    ];
    for (separator, shown) in [(" ", ' '), ("|", '|'), (",", ','), (";", ';'), ("-", '-'), (".", '.')] {
        texts.push(separated(HashMistake::OtherSeparator(shown), separator).rare());
    }
    texts.extend(orders().into_iter().map(|places| {
        let names: Vec<&str> = places.iter().filter_map(|place| NAMES.get(*place).copied()).collect();
        order(HashMistake::OtherOrder(names.join(":")), places).rare()
    }));
    texts
}

/// Every order of the five fields.
fn orders() -> Vec<Vec<usize>> {
    (0..NAMES.len()).fold(vec![Vec::new()], |begun: Vec<Vec<usize>>, _| {
        let longer = |begun: Vec<usize>| {
            let left: Vec<usize> = (0..NAMES.len()).filter(|place| !begun.contains(place)).collect();
            left.into_iter().map(move |next| begun.iter().copied().chain(iter::once(next)).collect())
        };
        begun.into_iter().flat_map(longer).collect()
    })
}

/// What a secret becomes on its way through files, shells and settings.
fn slips(secret: &str, part: Part) -> Vec<Change> {
    let mut slips: Vec<(Slip, Vec<u8>)> = Vec::new();
    let mut add = |slip, value: Option<Vec<u8>>| slips.extend(value.map(|value| (slip, value)));
    let text = |value: String| Some(value.into_bytes());
    add(Slip::LineEnd, text(format!("{secret}\n")));
    add(Slip::LineEnd, text(format!("{secret}\r\n")));
    add(Slip::LineEnd, text(format!("{secret}\r")));
    add(Slip::Blank, text(format!("{secret} ")));
    add(Slip::Blank, text(format!(" {secret}")));
    add(Slip::Trimmed, text(secret.trim().to_owned()));
    add(Slip::Quoted, text(format!("\"{secret}\"")));
    add(Slip::Quoted, text(format!("'{secret}'")));
    let quotes = ['"', '\''].into_iter();
    let unquoted = quotes.filter_map(|quote| secret.strip_prefix(quote)?.strip_suffix(quote)).next();
    add(Slip::Unquoted, unquoted.map(|inner| inner.as_bytes().to_vec()));
    add(Slip::UpperCase, text(secret.to_uppercase()));
    add(Slip::LowerCase, text(secret.to_lowercase()));
    add(Slip::Empty, Some(Vec::new()));
    add(Slip::Latin1, secret.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect());
    add(Slip::Base64, text(STANDARD.encode(secret)));
    add(Slip::FromBase64, base64(secret));
    add(Slip::FromHex, hex(secret));
    let hashed = digest::digest(&digest::SHA256, secret.as_bytes());
    add(Slip::Hashed, text(hexadecimal(hashed.as_ref())));
    slips
        .into_iter()
        .map(|(slip, value)| match part {
            Part::Key => {
                change(HashMistake::SharedKey(slip), part, move |recipe| recipe.key.clone_from(&value))
            }
            _ => set(HashMistake::Password(slip), part, PASSWORD, value),
        })
        .collect()
}

fn mailboxes(of: &HashOf<'_>) -> Vec<Change> {
    let [written, ..] = of.fields;
    let mut changes: Vec<Change> = [written.to_ascii_lowercase(), written.to_ascii_uppercase()]
        .into_iter()
        .map(|other| set(HashMistake::MailboxCase, Part::Mailbox, MAILBOX, other))
        .collect();
    if let Some(expected) = of.mailbox.filter(|expected| !expected.as_str().eq_ignore_ascii_case(written)) {
        changes.push(set(HashMistake::OtherMailbox, Part::Mailbox, MAILBOX, expected.as_str()));
    }
    changes
}

fn nonces(written: &str) -> Vec<Change> {
    let Ok(nonce) = Uuid::try_parse(written.trim_matches(['{', '}'])) else { return Vec::new() };
    [
        nonce.hyphenated().to_string(),
        nonce.hyphenated().to_string().to_ascii_uppercase(),
        nonce.simple().to_string(),
        nonce.braced().to_string(),
    ]
    .map(|other| set(HashMistake::NonceForm, Part::Nonce, NONCE, other))
    .into()
}

/// How far a count is looked for that is another than the header's.
const COUNTS: u32 = 1000;

fn counts(written: &str) -> Vec<Change> {
    let count = |other: String| set(HashMistake::Count(other.clone()), Part::Count, COUNT, other);
    let mut counts = Vec::new();
    if let Ok(number) = written.parse::<u32>() {
        let near = [number.checked_sub(1), number.checked_add(1), Some(0), Some(1)];
        counts.extend(near.into_iter().flatten().map(|near| count(near.to_string())));
        counts.extend((1..=10).map(|digits| count(format!("{number:0digits$}")).rare()));
    }
    counts.extend((0..=COUNTS).map(|other| count(other.to_string()).rare()));
    counts
}

/// Minutes in which a time zone may be off.
const ZONES: i64 = 14 * 60;

fn times(written: &str) -> Vec<Change> {
    let time = |mistake, other: String| set(mistake, Part::Time, TIME, other);
    let mut times = Vec::new();
    if written.len() == 14 && written.is_ascii() {
        times.push(time(HashMistake::TimeWithoutSeconds, written.chars().take(12).collect()));
    }
    // chrono reads fewer digits, too.
    let Some(at) = Some(written)
        .filter(|written| written.len() == 12)
        .and_then(|written| NaiveDateTime::parse_from_str(written, "%Y%m%d%H%M").ok())
    else {
        return times;
    };
    let minutes = (-5..=5).chain((-ZONES..=ZONES).filter(|minutes| minutes % 15 == 0));
    times.extend(minutes.filter_map(|minutes| {
        let other = at.checked_add_signed(TimeDelta::minutes(minutes))?;
        let time = time(HashMistake::Time(minutes), other.format("%Y%m%d%H%M").to_string());
        Some(if minutes.abs() == 1 || minutes % 60 == 0 { time } else { time.rare() })
    }));
    let seconds =
        (0..60).map(|second| time(HashMistake::TimeWithSeconds, format!("{written}{second:02}")).rare());
    times.extend(seconds);
    times
}

/// Which secret is where. After all else: a secret with a slip may be in the wrong place.
fn secrets() -> Vec<Change> {
    let secrets = |mistake, apply: fn(&mut Recipe)| change(mistake, Part::Secrets, apply);
    vec![
        secrets(HashMistake::Swapped, |recipe| std::mem::swap(&mut recipe.key, &mut recipe.fields[PASSWORD])),
        secrets(HashMistake::KeyForPassword, |recipe| recipe.fields[PASSWORD].clone_from(&recipe.key)),
        secrets(HashMistake::PasswordForKey, |recipe| recipe.key.clone_from(&recipe.fields[PASSWORD])),
    ]
}
