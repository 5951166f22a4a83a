//! Typed access to the tree of a configuration: whoever asks for a value gets it right, or nothing
//! and a problem noted.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::{
    apart::Told,
    document::{Document, Entry, Node, Place},
    error::{Complaint, Problem},
    interpolate::fill,
    keys,
};

/// Reads values and collects everything that is wrong with them.
pub(super) struct Reader<'a> {
    document: &'a Document<'a>,
    env: &'a dyn Fn(&str) -> Option<String>,
    folder: PathBuf,
    pub now: DateTime<Utc>,
    pub warnings: Vec<String>,
    /// Every secret that was read, and where it stands.
    pub secrets: Vec<Told>,
    faults: Vec<(Place, Problem)>,
    unlisted: usize,
}

/// The most problems that are worth listing.
const MOST_PROBLEMS: usize = 50;

/// A mapping of the configuration, by its path.
pub(super) struct Section<'a> {
    pub path: &'static str,
    place: Place,
    entries: &'a [Entry],
    /// Known keys that an unknown one was probably meant to be: they are not missing as well.
    meant: Vec<&'static str>,
}

/// Whether a key must be there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Required,
    Optional,
}

/// What a scalar is to be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Something that may be shown to mend it, such as a version.
    Open,
    /// Something that is never shown.
    Private,
    /// One of the values that the mending lists.
    Choice(&'static str),
}

/// A text with everything filled in. No `Debug`: it may be a secret.
pub(super) struct Text {
    pub at: At,
    pub value: String,
    /// The text as it stands in the file.
    source: String,
    pub from_environment: bool,
}

/// Where a value stands.
#[derive(Clone)]
pub(super) struct At {
    pub path: String,
    place: Place,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        document: &'a Document<'a>,
        file: &Path,
        env: &'a dyn Fn(&str) -> Option<String>,
        now: DateTime<Utc>,
    ) -> Self {
        let folder = file.parent().unwrap_or(Path::new(""));
        let folder = std::path::absolute(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
            .unwrap_or_else(|_| folder.to_owned());
        Self {
            document,
            env,
            folder,
            now,
            warnings: Vec::new(),
            secrets: Vec::new(),
            faults: Vec::new(),
            unlisted: 0,
        }
    }

    /// Everything that was wrong, from the top of the file down, and how many problems more.
    pub(super) fn into_problems(mut self) -> (Vec<Problem>, usize) {
        let document = self.document;
        self.faults.sort_by_key(|(place, _)| *place);
        let located =
            |(place, problem): (Place, Problem)| Problem { line: Some(document.line(place)), ..problem };
        (self.faults.into_iter().map(located).collect(), self.unlisted)
    }

    pub(super) fn fault(&mut self, at: &At, complaint: Complaint) {
        if self.faults.len() == MOST_PROBLEMS {
            self.unlisted += 1;
            return;
        }
        let problem = Problem { path: at.path.clone(), ..complaint.of_file() };
        self.faults.push((at.place, problem));
    }

    /// How many problems were noted so far.
    pub(super) fn noted(&self) -> usize {
        self.faults.len() + self.unlisted
    }

    /// `result` without its error, which is noted.
    pub(super) fn checked<T>(&mut self, at: &At, result: Result<T, Complaint>) -> Option<T> {
        result.map_err(|complaint| self.fault(at, complaint)).ok()
    }

    /// The section that everything is in.
    pub(super) fn top(&mut self) -> Option<Section<'a>> {
        let at = At { path: String::new(), place: Place::Top };
        self.open(self.document.root(), &at, "")
    }

    /// The section at `path` of `parent`.
    pub(super) fn section(
        &mut self,
        parent: &Section<'a>,
        path: &'static str,
        need: Need,
    ) -> Option<Section<'a>> {
        let key = path.rsplit('.').next().unwrap_or(path);
        let entry = self.entry(parent, key, need)?;
        self.open(&entry.value, &parent.at(entry, key), path)
    }

    /// The text of a key.
    pub(super) fn text(
        &mut self,
        section: &Section<'_>,
        key: &'static str,
        need: Need,
        kind: Kind,
    ) -> Option<Text> {
        let entry = self.entry(section, key, need)?;
        let at = section.at(entry, key);
        let Node::Text(source) = &entry.value else {
            let complaint = self.no_text(entry, key, kind);
            self.fault(&at, complaint);
            return None;
        };
        let filled = fill(source, self.env);
        let filled = self.checked(&at, filled)?;
        if filled.value.is_empty() {
            self.fault(&at, empty(key));
            return None;
        }
        let (value, from_environment) = (filled.value, filled.from_environment);
        Some(Text { at, value, source: source.clone(), from_environment })
    }

    /// The whole number of a key, written as one or filled in from the environment.
    pub(super) fn number(&mut self, section: &Section<'_>, key: &'static str) -> Option<(At, Option<u64>)> {
        let entry = self.entry(section, key, Need::Optional)?;
        let at = section.at(entry, key);
        let number = match &entry.value {
            Node::Number(number) => *number,
            Node::Text(source) => {
                let filled = fill(source, self.env);
                let filled = self.checked(&at, filled)?;
                if filled.from_environment { filled.value.trim().parse().ok() } else { None }
            }
            _ => None,
        };
        Some((at, number))
    }

    /// Whether a key is there.
    pub(super) fn has(&self, section: &Section<'_>, key: &str) -> bool {
        section.entries.iter().any(|entry| entry.key.as_deref() == Some(key))
    }

    /// Whether a key is there and holds a mapping.
    pub(super) fn holds_section(&self, section: &Section<'_>, key: &str) -> bool {
        let is_it = |entry: &&Entry| entry.key.as_deref() == Some(key);
        section.entries.iter().find(is_it).is_some_and(|entry| matches!(entry.value, Node::Map(_)))
    }

    /// Where a key stands; `None` when it is not there.
    pub(super) fn place(&self, section: &Section<'_>, key: &str) -> Option<At> {
        let entry = section.entries.iter().find(|entry| entry.key.as_deref() == Some(key))?;
        Some(section.at(entry, key))
    }

    /// Whether `product.driver` names another driver than the reference client. Notes nothing.
    pub(super) fn holds_driver(&self) -> bool {
        let of =
            |entries: &'a [Entry], key: &str| entries.iter().find(|entry| entry.key.as_deref() == Some(key));
        let Node::Map(top_entries) = self.document.root() else { return false };
        let Some(Node::Map(product)) = of(top_entries, "product").map(|entry| &entry.value) else {
            return false;
        };
        match of(product, "driver").map(|entry| &entry.value) {
            Some(Node::Map(_)) => true,
            Some(Node::Text(word)) => word == "manual",
            _ => false,
        }
    }

    /// The texts of a key: a list, at least one.
    pub(super) fn texts(&mut self, section: &Section<'_>, key: &'static str) -> Option<Vec<String>> {
        let entry = self.entry(section, key, Need::Optional)?;
        let at = section.at(entry, key);
        let Node::List(nodes) = &entry.value else {
            self.fault(
                &at,
                Complaint::new("is not a list", format!("write it in brackets: {key}: [./drive.sh]")),
            );
            return None;
        };
        let mut texts = Vec::new();
        for node in nodes {
            let Node::Text(source) = node else {
                let mend = "write each item as text; quote a number, or what begins with a special character";
                self.fault(&at, Complaint::new("holds something else than text", mend));
                return None;
            };
            let filled = fill(source, self.env);
            texts.push(self.checked(&at, filled)?.value);
        }
        if texts.first().is_none_or(String::is_empty) {
            self.fault(&at, Complaint::new("is empty", format!("give it a value: {key}: [./drive.sh]")));
            return None;
        }
        Some(texts)
    }

    /// The time span of a key, such as `60s` or `5m`; a number alone is seconds. `None` within when it is
    /// neither.
    pub(super) fn span(&mut self, section: &Section<'_>, key: &'static str) -> Option<(At, Option<u64>)> {
        let entry = self.entry(section, key, Need::Optional)?;
        let seconds = match &entry.value {
            Node::Number(number) => *number,
            Node::Text(text) => {
                let (digits, unit) =
                    text.split_at(text.len() - text.chars().next_back().map_or(0, char::len_utf8));
                let factor = match unit {
                    "s" => Some(1),
                    "m" => Some(60),
                    "h" => Some(3600),
                    _ => None,
                };
                factor.and_then(|factor| digits.trim().parse::<u64>().ok()?.checked_mul(factor))
            }
            _ => None,
        };
        Some((section.at(entry, key), seconds))
    }

    /// The folder of the configuration file, absolute.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where a file is, and how to show it: what came from the environment is not shown.
    pub(super) fn file(&self, text: &Text) -> (PathBuf, String) {
        (self.folder.join(&text.value), self.folder.join(&text.source).display().to_string())
    }

    fn entry<'s>(&mut self, section: &Section<'s>, key: &'static str, need: Need) -> Option<&'s Entry> {
        let found = section.entries.iter().find(|entry| entry.key.as_deref() == Some(key));
        if found.is_none() && need == Need::Required && !section.meant.contains(&key) {
            let parent = if section.path.is_empty() { "at the top level" } else { section.path };
            let mend = if section.path.is_empty() {
                format!("add {} {parent}", keys::example(section.path, key))
            } else {
                format!("add {} under {parent}", keys::example(section.path, key))
            };
            let at = At { path: keys::joined(section.path, key), place: section.place };
            self.fault(&at, Complaint::new("is missing", mend));
        }
        found
    }

    fn open(&mut self, node: &'a Node, at: &At, path: &'static str) -> Option<Section<'a>> {
        let known = keys::known(path);
        let entries = match node {
            Node::Map(entries) => entries,
            Node::Empty => {
                let what = if path.is_empty() { "holds no configuration" } else { "is empty" };
                self.fault(at, Complaint::new(what, format!("it takes {}", keys::listed(known))));
                return None;
            }
            _ => {
                let mend = format!("write `key: value` lines; it takes {}", keys::listed(known));
                self.fault(at, Complaint::new("is not a mapping", mend));
                return None;
            }
        };
        let mut section = Section { path, place: at.place, entries, meant: Vec::new() };
        for (index, entry) in entries.iter().enumerate() {
            let earlier = entries[..index].iter().find(|earlier| earlier.key == entry.key);
            match entry.key.as_deref().and_then(|key| known.iter().find(|known| **known == key)) {
                Some(key) => self.not_twice(&section.at(entry, key), earlier),
                None => section.meant.extend(self.unknown(&section, entry)),
            }
        }
        Some(section)
    }

    fn not_twice(&mut self, at: &At, earlier: Option<&Entry>) {
        if let Some(earlier) = earlier {
            let line = self.document.line(earlier.place);
            self.fault(at, Complaint::new(format!("is here twice, first on line {line}"), "leave only one"));
        }
    }

    /// Notes an unknown key. Gives the known one that was probably meant.
    fn unknown(&mut self, section: &Section<'a>, entry: &Entry) -> Option<&'static str> {
        let known = keys::known(section.path);
        let meant = entry.key.as_deref().and_then(|key| keys::nearest(key, known));
        let named = entry.key.as_deref().filter(|key| keys::is_name(key));
        // A key without a value may be the rest of one that should have been quoted, in
        // `{password: one, two}`, or have one stuck to it, in `{password:one}`: perhaps a secret.
        let (key, what) = match named {
            Some(key) if meant.is_some() || !matches!(entry.value, Node::Empty) => {
                (key, "is not a key that is known here")
            }
            Some(_) => ("", "has a key that is not known here and has no value"),
            None => ("", "has a key that is no name"),
        };
        let mend = match (meant, named.and_then(keys::homes)) {
            (Some(meant), _) => format!("did you mean {meant}? Known here: {}", keys::listed(known)),
            (None, Some(home)) if !key.is_empty() => {
                format!("it belongs under {home}. Known here: {}", keys::listed(known))
            }
            _ if key.is_empty() => format!(
                "quote a value that holds `,` or `:`, and put a space after the colon. Known here: {}",
                keys::listed(known)
            ),
            _ => format!("take it out. Known here: {}", keys::listed(known)),
        };
        let path = if key.is_empty() { section.path.to_owned() } else { keys::joined(section.path, key) };
        self.fault(&At { path, place: entry.place }, Complaint::new(what, mend));
        meant
    }

    fn no_text(&self, entry: &Entry, key: &str, kind: Kind) -> Complaint {
        let what = match &entry.value {
            Node::Empty => return empty(key),
            Node::Number(_) => "is a number, not text",
            Node::Bool => "is true or false, not text",
            Node::Tagged => "begins with !, which makes it a tag, not text",
            Node::List(_) => "is a list, not text",
            _ => "is a mapping, not text",
        };
        let mend = match (kind, &entry.value) {
            (Kind::Choice(choice), _) => choice.to_owned(),
            (Kind::Open, Node::Number(_)) => self.number_in_quotes(entry, key),
            (_, Node::Number(_) | Node::Bool) => format!("quote it: {key}: \"…\""),
            (_, Node::Tagged) => format!("quote it: {key}: \"!…\""),
            (_, Node::List(_)) => "write one text; quote it when it begins with [ or -".to_owned(),
            _ => "write one text; quote it when it begins with { or holds `: `".to_owned(),
        };
        Complaint::new(what, mend)
    }

    fn number_in_quotes(&self, entry: &Entry, key: &str) -> String {
        let Some(written) = self.document.as_written(entry.place) else {
            return format!("quote it: {key}: \"…\"");
        };
        let quoted = format!("quote it: {key}: \"{written}\"");
        match written.parse::<f64>() {
            Ok(number) if number.to_string() != written => format!("{quoted}, or {written} becomes {number}"),
            _ => quoted,
        }
    }
}

impl Section<'_> {
    /// Where a text stands, but with the path of a key that is missing beside it.
    pub(super) fn beside(&self, text: &Text, key: &str) -> At {
        At { path: keys::joined(self.path, key), place: text.at.place }
    }

    fn at(&self, entry: &Entry, key: &str) -> At {
        At { path: keys::joined(self.path, key), place: entry.place }
    }
}

fn empty(key: &str) -> Complaint {
    Complaint::new(
        "is empty",
        format!("give it a value; one that begins with # or & or is null stands in quotes: {key}: \"…\""),
    )
}
