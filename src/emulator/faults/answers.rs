//! What is answered in place of what should be: how faults of answers are written down, and one table a subject.

pub(super) mod contents;
pub(super) mod errors;
pub(super) mod headers;
pub(super) mod inbox;
pub(super) mod lookups;
pub(super) mod sending;
pub(super) mod statuses;
pub(super) mod tracking;

use serde_json::{Value, json};

use super::{Effect, Fault};

const fn status(name: &'static str, operation: &'static str, from: u16, to: u16) -> Fault {
    Fault { name, what: "another status", effect: Effect::Status(operation, from, to) }
}

const fn lacks(name: &'static str, header: &'static str) -> Fault {
    let effect = Effect::Header("download message", header, None);
    Fault { name, what: "a download lacks a header", effect }
}

const fn says(name: &'static str, header: &'static str, value: &'static str) -> Fault {
    let effect = Effect::Header("download message", header, Some(value));
    Fault { name, what: "a download has a header with another value", effect }
}

const fn body(
    name: &'static str,
    what: &'static str,
    operation: &'static str,
    change: fn(&mut Value),
) -> Fault {
    Fault { name, what, effect: Effect::Json(operation, change) }
}

const fn bytes(
    name: &'static str,
    what: &'static str,
    operation: &'static str,
    status: u16,
    change: fn(Vec<u8>) -> Vec<u8>,
) -> Fault {
    Fault { name, what, effect: Effect::Body(operation, status, change) }
}

/// Takes a field out of an object.
fn remove(value: &mut Value, name: &str) {
    if let Some(fields) = value.as_object_mut() {
        fields.remove(name);
    }
}

/// Gives a field another name.
fn rename(value: &mut Value, from: &str, to: &str) {
    if let Some(fields) = value.as_object_mut()
        && let Some(field) = fields.remove(from)
    {
        fields.insert(to.to_owned(), field);
    }
}

/// Puts another value where there is one.
fn replace(value: &mut Value, pointer: &str, other: Value) {
    if let Some(field) = value.pointer_mut(pointer) {
        *field = other;
    }
}

/// Adds a field.
fn add(value: &mut Value, name: &str) {
    if let Some(fields) = value.as_object_mut() {
        fields.insert(name.to_owned(), json!("surplus"));
    }
}

fn messages(value: &mut Value) -> Option<&mut Vec<Value>> {
    value.get_mut("messages").and_then(Value::as_array_mut)
}

fn is_v1_error(value: &Value) -> bool {
    value.get("errorCode").is_some()
}
