//! One walk over a YAML document: to the end for its tree, or to one key for its place.

use std::{fmt, marker::PhantomData};

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IgnoredAny, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};

use super::{Entry, Node, Place};

/// More nodes than any configuration has; aliases can multiply them without end.
const MOST: usize = 10_000;

/// More levels than any configuration has; an alias to what it stands in has no end of them.
const DEEPEST: usize = 16;

/// What a walk has seen and where it ends early.
#[derive(Default)]
pub(super) struct Walk {
    keys: usize,
    nodes: usize,
    /// The keys from the top to where the walk is, or where an error ended it.
    trail: Vec<Option<String>>,
    depth: usize,
    stop: Option<Stop>,
    /// The scalar after the key of [`Stop::WithValueOf`], as it is written.
    pub written: Option<String>,
}

/// Where a walk ends early, with an error that knows its place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    AtTop,
    At(usize),
    WithValueOf(usize),
}

impl Walk {
    pub(super) fn until(stop: Stop) -> Self {
        Self { stop: Some(stop), ..Self::default() }
    }

    pub(super) fn read<'de, D: Deserializer<'de>>(&mut self, document: D) -> Result<Node, D::Error> {
        if self.stop == Some(Stop::AtTop) {
            return document.deserialize_any(Halt(PhantomData));
        }
        Value(self).deserialize(document)
    }

    /// Whether the walk was given up for sheer size.
    pub(super) fn too_large(&self) -> bool {
        self.nodes > MOST || self.depth > DEEPEST
    }

    /// The path of the key at whose value an error ended the walk.
    pub(super) fn trail(&self) -> Vec<&str> {
        self.trail.iter().map_while(|key| key.as_deref()).collect()
    }

    fn count<E: Error>(&mut self) -> Result<(), E> {
        self.nodes += 1;
        if self.too_large() { Err(E::custom("too large")) } else { Ok(()) }
    }
}

/// Reads a value.
struct Value<'w>(&'w mut Walk);

/// Reads a key: its text, when it is text.
struct Key<'w>(&'w mut Walk);

/// Takes no value at all: the error that comes of it has the place.
struct Halt<T>(PhantomData<T>);

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        self.0.depth += 1;
        self.0.count()?;
        let node = deserializer.deserialize_any(Value(self.0))?;
        self.0.depth -= 1;
        Ok(node)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Bool)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Number(Some(number)))
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<Node, E> {
        Ok(Node::Number(None))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Number(None))
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<Node, E> {
        Ok(Node::Number(None))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Number(None))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Empty)
    }

    fn visit_none<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Empty)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = items.next_element_seed(Value(self.0))? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let walk = self.0;
        let mut entries = Vec::new();
        while let Some((number, key)) = map.next_key_seed(Key(walk))? {
            if walk.stop == Some(Stop::WithValueOf(number)) {
                walk.written = map.next_value().ok();
                return Err(A::Error::custom("found"));
            }
            walk.trail.push(key);
            let value = map.next_value_seed(Value(walk))?;
            entries.push(Entry { key: walk.trail.pop().flatten(), place: Place::Key(number), value });
        }
        Ok(Node::Map(entries))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Node, A::Error> {
        let (IgnoredAny, value) = tagged.variant()?;
        let IgnoredAny = value.newtype_variant()?;
        Ok(Node::Tagged)
    }
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = (usize, Option<String>);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let number = self.0.keys;
        self.0.keys += 1;
        if self.0.stop == Some(Stop::At(number)) {
            return deserializer.deserialize_any(Halt(PhantomData));
        }
        let node = Value(self.0).deserialize(deserializer)?;
        Ok((number, if let Node::Text(text) = node { Some(text) } else { None }))
    }
}

impl<T> Visitor<'_> for Halt<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("to be told the place")
    }
}
