//! Through a HAR, entry by entry: of those that were read only the exchanges are held.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

use super::{HarEntry, HarLimits, entry, form, form::lenient, source::Source};
use crate::tape::{Redactor, printable};

/// One walk, and what was found.
pub(super) struct Walk<'a> {
    pub source: &'a dyn Source,
    pub redactor: &'a Redactor,
    pub limits: &'a HarLimits,
    /// Whether entries are ours, when that is known before.
    pub is_known_ours: Option<bool>,
    pub found: Found,
}

#[derive(Default)]
pub(super) struct Found {
    pub creator: Creator,
    /// `None` as long as there is no list of them.
    pub entries: Option<Vec<HarEntry>>,
    pub left_out: Vec<(usize, &'static str)>,
    pub is_too_many: bool,
    /// As whose entries were read.
    pub read_as_ours: bool,
}

#[derive(Deserialize, Default)]
pub(super) struct Creator {
    #[serde(default, deserialize_with = "lenient")]
    name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    version: Option<String>,
}

impl Creator {
    pub fn is_us(&self) -> bool {
        self.name() == "mesh-witness"
    }

    fn name(&self) -> String {
        printable(self.name.as_deref().unwrap_or_default().as_bytes())
    }
}

impl fmt::Display for Creator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.version.as_deref().unwrap_or_default();
        match (self.name().as_str(), version) {
            ("", _) => f.write_str("an unnamed program"),
            (name, "") => f.write_str(name),
            (name, version) => write!(f, "{name} {}", printable(version.as_bytes())),
        }
    }
}

impl Walk<'_> {
    fn list<'de, A: SeqAccess<'de>>(&mut self, mut list: A) -> Result<(), A::Error> {
        // Who made it stands before the entries, or else all is read once more.
        self.found.read_as_ours = self.is_known_ours.unwrap_or_else(|| self.found.creator.is_us());
        self.found.left_out.clear();
        let mut entries = Vec::new();
        let mut place = 0;
        while let Some(value) = list.next_element::<Value>()? {
            if place == self.limits.entries {
                self.found.is_too_many = true;
                return Err(A::Error::custom("too many entries"));
            }
            place += 1;
            match self.entry(value, place) {
                Ok(entry) => entries.push(entry),
                Err(why) => self.found.left_out.push((place, why)),
            }
        }
        self.found.entries = Some(entries);
        Ok(())
    }

    fn entry(&self, value: Value, place: usize) -> Result<HarEntry, &'static str> {
        let is_ours = self.found.read_as_ours;
        let read = form::Entry::deserialize(value).map_err(|_| "it is no entry of a HAR")?;
        let number = read.own_number().filter(|_| is_ours).unwrap_or(place);
        let exchange = entry::exchange(read, is_ours, self.redactor, self.source)?;
        Ok(HarEntry { number, exchange })
    }
}

/// How deep in the file.
#[derive(Clone, Copy)]
enum Level {
    File,
    Log,
    Entries,
}

/// A part of the file. What is of another type than it should be is passed over, and of what is there twice the last
/// counts, as everywhere in a HAR.
struct Part<'w, 'a> {
    walk: &'w mut Walk<'a>,
    level: Level,
}

impl<'de> DeserializeSeed<'de> for &mut Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        Part { walk: self, level: Level::File }.deserialize(from)
    }
}

impl<'de> DeserializeSeed<'de> for Part<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Part<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a part of a HAR")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { walk, level } = self;
        while let Some(key) = map.next_key::<String>()? {
            match (level, key.as_str()) {
                (Level::File, "log") => {
                    walk.found = Found::default();
                    map.next_value_seed(Part { walk: &mut *walk, level: Level::Log })?;
                }
                (Level::Log, "creator") => {
                    let creator = map.next_value::<Value>()?;
                    walk.found.creator = Creator::deserialize(creator).unwrap_or_default();
                }
                (Level::Log, "entries") => {
                    walk.found.entries = None;
                    map.next_value_seed(Part { walk: &mut *walk, level: Level::Entries })?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        if matches!(self.level, Level::Entries) {
            return self.walk.list(list);
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}
