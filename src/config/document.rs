//! The YAML of a configuration file as a tree whose keys know their lines.
//!
//! The YAML library knows where every node stands, but says so only in an error. So the line of a key
//! is found by reading the text once more and failing at that key: no second idea of what YAML is,
//! and block and flow style, anchors and aliases come out right by themselves.

mod walk;

use serde::{Deserialize, de::IgnoredAny};
use serde_yaml::Deserializer;

use super::{
    error::{Complaint, Problem},
    keys,
};
use walk::{Stop, Walk};

/// A configuration file as read.
pub(super) struct Document<'t> {
    text: &'t str,
    root: Node,
}

/// A value. No `Debug`: it may hold a secret.
pub(super) enum Node {
    Empty,
    Bool,
    /// A number; `Some` when it is whole, not negative and fits.
    Number(Option<u64>),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// A value with a tag of its own, such as `!x`.
    Tagged,
}

/// A key and its value.
pub(super) struct Entry {
    /// `None` when it is not text.
    pub key: Option<String>,
    pub place: Place,
    pub value: Node,
}

/// A place in a document: the n-th key, or the top.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Top,
    Key(usize),
}

/// The library's time grows with the square of the brackets that are open: far below a second for
/// this many, minutes for a file full of them.
const MOST_BRACKETS: usize = 2_000;

impl<'t> Document<'t> {
    /// Reads the one YAML document that `bytes` are.
    pub(super) fn read(bytes: &'t [u8]) -> Result<Self, Problem> {
        let text = decoded(bytes)?;
        if text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count() > MOST_BRACKETS {
            return Err(too_large().of_file());
        }
        well_formed(text)?;
        let mut walk = Walk::default();
        let root = walk.read(Deserializer::from_str(text)).map_err(|error| unreadable(&walk, &error))?;
        Ok(Self { text, root })
    }

    /// The value that everything else is in.
    pub(super) fn root(&self) -> &Node {
        &self.root
    }

    /// The line of a place, from 1.
    pub(super) fn line(&self, place: Place) -> usize {
        let Place::Key(key) = place else { return 1 };
        let mut walk = Walk::until(Stop::At(key));
        let found = walk.read(Deserializer::from_str(self.text)).err().and_then(|error| error.location());
        found.map_or(1, |location| location.line())
    }

    /// The place of a key, named with its parents.
    pub(super) fn place_of(&self, keys: &[&str]) -> Option<Place> {
        let (mut node, mut found) = (&self.root, None);
        for key in keys {
            let Node::Map(entries) = node else { return None };
            let entry = entries.iter().find(|entry| entry.key.as_deref() == Some(key))?;
            (node, found) = (&entry.value, Some(entry.place));
        }
        found
    }

    /// The scalar at a place as it is written, where YAML takes it for a number: `1.10`, not 1.1.
    pub(super) fn as_written(&self, place: Place) -> Option<String> {
        let Place::Key(key) = place else { return None };
        let mut walk = Walk::until(Stop::WithValueOf(key));
        let _ = walk.read(Deserializer::from_str(self.text));
        walk.written
    }
}

fn decoded(bytes: &[u8]) -> Result<&str, Problem> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(Complaint::new("is in UTF-16", "save it as UTF-8").of_file());
    }
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = line_at(bytes, error.valid_up_to());
        at(line, None, Complaint::new("is not in UTF-8", "save it as UTF-8"))
    })?;
    match text.char_indices().find(|(_, c)| !yaml_has(*c)) {
        Some((index, c)) => Err(at(
            line_at(bytes, index),
            None,
            Complaint::new(
                format!("has the character U+{:04X}, which YAML does not allow", u32::from(c)),
                "take it out, or write it in double quotes as \\u and four digits",
            ),
        )),
        None => Ok(text),
    }
}

/// The printable characters of YAML 1.1, which is what the library holds to. It says where it found
/// another one only as a byte offset, so they are looked for here.
fn yaml_has(c: char) -> bool {
    let printable = |c| matches!(c, ' '..='~' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..);
    matches!(c, '\t' | '\n' | '\r' | '\u{85}') || (printable(c) && c != '\u{feff}')
}

fn line_at(bytes: &[u8], index: usize) -> usize {
    1 + bytes.iter().take(index).filter(|byte| **byte == b'\n').count()
}

/// Makes sure that `text` is one YAML document. Looks at no value, so that no value can get into
/// the library's message, which is shown.
fn well_formed(text: &str) -> Result<(), Problem> {
    let mut documents = Deserializer::from_str(text);
    if let Some(first) = documents.next() {
        IgnoredAny::deserialize(first).map_err(|error| not_yaml(text, &error))?;
    }
    let Some(second) = documents.next() else { return Ok(()) };
    IgnoredAny::deserialize(second).map_err(|error| not_yaml(text, &error))?;
    let again = Deserializer::from_str(text).nth(1);
    let found = again.and_then(|second| Walk::until(Stop::AtTop).read(second).err()?.location());
    let line = found.map(|location| location.line());
    let complaint = Complaint::new(
        "begins a second YAML document",
        "keep one document in the file: take out the line `---` or `...` above and what does not belong",
    );
    Err(Problem { line, ..complaint.of_file() })
}

fn not_yaml(text: &str, error: &serde_yaml::Error) -> Problem {
    let message = error.to_string();
    let Some(location) = error.location() else {
        return Complaint::new(format!("is not YAML: {message}"), "correct it").of_file();
    };
    let (line, column) = (location.line(), location.column());
    let message = message.replacen(&format!(" at line {line} column {column}"), "", 1);
    let source = text.lines().nth(line - 1).unwrap_or_default();
    let mend = if source.trim_start_matches(' ').starts_with('\t') {
        "indent with spaces, not with tabs"
    } else if message.contains("escape character") || message.contains("hexadecimal") {
        "between double quotes a backslash begins an escape: use single quotes"
    } else if message.contains("mapping values are not allowed") {
        "quote a value that holds `: `, and indent the keys of one mapping alike"
    } else if message.contains("unknown anchor") || message.contains("cannot start any token") {
        "quote a value that begins with one of * & ! | > % @ `"
    } else if message.contains("could not find expected ':'") {
        "write `key: value` with a space after the colon, and quote a value of several lines"
    } else {
        "check indentation, quotes and brackets from the line before on"
    };
    at(line, Some(column), Complaint::new(format!("is not YAML: {message}"), mend))
}

/// For what is well-formed, yet more than a configuration can be. The library's message may quote
/// a value here, so it is not shown.
fn unreadable(walk: &Walk, error: &serde_yaml::Error) -> Problem {
    let complaint = if walk.too_large() {
        too_large()
    } else {
        let what = "has a tag such as !!int on something else, or too many aliases";
        Complaint::new(what, "write plain or quoted text")
    };
    // Keys that are not known may be pieces of a secret.
    let trail = walk.trail();
    let known =
        (0..trail.len()).take_while(|depth| keys::known(&trail[..*depth].join(".")).contains(&trail[*depth]));
    let path = trail[..known.count()].join(".");
    Problem { line: error.location().map(|location| location.line()), path, ..complaint.of_file() }
}

fn too_large() -> Complaint {
    Complaint::new(
        "has more keys, values or levels than any configuration",
        "check that it is the right file, and that no alias stands in what it is for",
    )
}

fn at(line: usize, column: Option<usize>, complaint: Complaint) -> Problem {
    Problem { line: Some(line), column, ..complaint.of_file() }
}
