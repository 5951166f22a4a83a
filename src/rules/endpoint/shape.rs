//! The shapes of MESH's JSON bodies, to be held to strictly: no field that is not named, none missing
//! that must be there, each of its type (OpenAPI, response schemas of each operation). A shape is open
//! where more is known to be told and makes no answer one of another version.

use serde_json::Value;

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Text.
    Text,
    /// Text, or `null` for what is not known.
    TextOrNull,
    /// A whole number, not negative.
    Count,
    /// `true` or `false`.
    Flag,
    /// A list of texts.
    Texts,
    /// A list of texts and whole numbers: the way to a place in a request.
    Place,
    /// Texts by name.
    TextsByName,
    /// A list, not empty where it must not be, of objects of a shape.
    List { of: &'static Shape, may_be_empty: bool },
}

/// A field.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    name: &'static str,
    kind: Kind,
    required: bool,
}

/// The shape of an object.
#[derive(Debug)]
pub struct Shape {
    fields: &'static [Field],
    /// Whether there may be fields that are not named.
    open: bool,
}

const fn must(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: true }
}

const fn may(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: false }
}

macro_rules! shapes {
    ($($name:ident = [$($field:expr),* $(,)?];)*) => {
        $(static $name: Shape = Shape { fields: &[$($field),*], open: false };)*
    };
}

/// Open, since the OpenAPI closes no schema, and frameworks add what was sent and the limit that it broke.
static VALIDATION_DETAIL: Shape = Shape {
    fields: &[must("loc", Kind::Place), must("msg", Kind::Text), must("type", Kind::Text)],
    open: true,
};

shapes! {
    // Older interfaces number the chunk as well; the schema does not forbid it.
    SEND_V1 = [must("messageID", Kind::Text), may("blockID", Kind::Count)];
    SEND_V2 = [must("message_id", Kind::Text)];
    INBOX_V1 = [must("messages", Kind::Texts)];
    INBOX_V2 = [must("messages", Kind::Texts), may("links", Kind::TextsByName), may("approx_inbox_count", Kind::Count)];
    COUNT_V1 = [must("count", Kind::Count), must("internalID", Kind::Text), must("allResultsIncluded", Kind::Flag)];
    COUNT_V2 = [must("count", Kind::Count)];
    ACKNOWLEDGE_V1 = [must("messageId", Kind::Text)];
    ERROR_V1 = [
        may("messageID", Kind::TextOrNull), must("errorEvent", Kind::Text), must("errorCode", Kind::Text),
        must("errorDescription", Kind::Text),
    ];
    ERROR_V2 = [
        may("message_id", Kind::TextOrNull), may("internal_id", Kind::TextOrNull),
        must("detail", Kind::List { of: &ERROR_DETAIL, may_be_empty: false }),
    ];
    ERROR_DETAIL = [must("event", Kind::Text), must("code", Kind::Text), must("msg", Kind::Text)];
    VALIDATION = [must("detail", Kind::List { of: &VALIDATION_DETAIL, may_be_empty: false })];
    LOOKUP_V1 = [must("query_id", Kind::Text), must("results", Kind::List { of: &LOOKUP_V1_ITEM, may_be_empty: true })];
    LOOKUP_V1_ITEM = [must("address", Kind::Text), must("description", Kind::Text), must("endpoint_type", Kind::Text)];
    LOOKUP_V2 = [must("results", Kind::List { of: &LOOKUP_V2_ITEM, may_be_empty: true })];
    LOOKUP_V2_ITEM = [must("mailbox_id", Kind::Text), must("mailbox_name", Kind::Text)];
    TRACKING_V2 = [
        must("message_id", Kind::Text), may("local_id", Kind::Text), may("workflow_id", Kind::Text),
        may("filename", Kind::Text), may("expiry_time", Kind::Text), may("upload_timestamp", Kind::Text),
        may("recipient", Kind::Text), may("recipient_name", Kind::Text), may("recipient_ods_code", Kind::Text),
        may("recipient_org_code", Kind::Text), may("recipient_org_name", Kind::Text),
        may("status_success", Kind::Flag), may("status", Kind::Text), may("status_event", Kind::Text),
        may("status_timestamp", Kind::Text), may("status_description", Kind::Text), may("status_code", Kind::Text),
    ];
    TRACKING_V1 = [
        may("addressType", Kind::Text), may("checksum", Kind::TextOrNull), may("chunkCount", Kind::Count),
        may("compressFlag", Kind::TextOrNull), may("contentEncoding", Kind::Text),
        may("downloadTimestamp", Kind::TextOrNull), must("dtsId", Kind::Text),
        may("encryptedFlag", Kind::TextOrNull), may("expiryTime", Kind::TextOrNull),
        may("failureDate", Kind::TextOrNull), may("failureDiagnostic", Kind::TextOrNull),
        may("fileName", Kind::TextOrNull), must("fileSize", Kind::Count), may("isCompressed", Kind::TextOrNull),
        may("linkedMsgId", Kind::TextOrNull), may("localId", Kind::TextOrNull),
        may("meshRecipientOdsCode", Kind::TextOrNull), must("messageId", Kind::Text),
        may("messageType", Kind::Text), may("partnerId", Kind::TextOrNull), may("recipient", Kind::Text),
        may("recipientName", Kind::TextOrNull), may("recipientOrgCode", Kind::TextOrNull),
        may("recipientOrgName", Kind::TextOrNull), may("recipientSmtp", Kind::TextOrNull),
        may("sender", Kind::Text), may("senderName", Kind::TextOrNull), may("senderOdsCode", Kind::TextOrNull),
        may("senderOrgCode", Kind::TextOrNull), may("senderOrgName", Kind::TextOrNull),
        may("senderSmtp", Kind::TextOrNull), may("status", Kind::Text), may("statusCode", Kind::TextOrNull),
        may("statusDescription", Kind::TextOrNull), may("statusEvent", Kind::TextOrNull),
        may("statusSuccess", Kind::TextOrNull), may("statusTimestamp", Kind::TextOrNull),
        may("subject", Kind::TextOrNull), may("uploadTimestamp", Kind::TextOrNull), may("version", Kind::Text),
        may("workflowId", Kind::Text),
    ];
}

/// The shapes by the names that steps give them.
static NAMED: [(&str, &Shape); 15] = [
    ("send v1", &SEND_V1),
    ("send v2", &SEND_V2),
    ("inbox v1", &INBOX_V1),
    ("inbox v2", &INBOX_V2),
    ("count v1", &COUNT_V1),
    ("count v2", &COUNT_V2),
    ("acknowledgement v1", &ACKNOWLEDGE_V1),
    ("error v1", &ERROR_V1),
    ("error v2", &ERROR_V2),
    ("validation error", &VALIDATION),
    ("lookup v1", &LOOKUP_V1),
    ("lookup v2", &LOOKUP_V2),
    ("workflow search", &LOOKUP_V2),
    ("tracking v1", &TRACKING_V1),
    ("tracking v2", &TRACKING_V2),
];

impl Shape {
    /// The shape that steps call so.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        NAMED.iter().find(|(known, _)| *known == name).map(|(_, shape)| *shape)
    }

    /// Holds a body to the shape.
    ///
    /// # Errors
    /// What is not as it must be, each in a few words.
    pub fn check(&self, value: &Value) -> Result<(), Vec<String>> {
        let mut wrong = Vec::new();
        self.object(value, "", &mut wrong);
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    /// The fields that must be there, for a message to a person.
    #[must_use]
    pub fn in_words(&self) -> String {
        let required = self.fields.iter().filter(|field| field.required).map(|field| field.name);
        format!("an object with {}", required.collect::<Vec<_>>().join(", "))
    }

    fn object(&self, value: &Value, place: &str, wrong: &mut Vec<String>) {
        let Some(fields) = value.as_object() else {
            wrong.push(format!("{} is no object", if place.is_empty() { "the body" } else { place }));
            return;
        };
        for field in self.fields {
            match fields.get(field.name) {
                None if field.required => wrong.push(format!("{place}{} is missing", field.name)),
                None => {}
                Some(value) => field.kind.check(value, &format!("{place}{}", field.name), wrong),
            }
        }
        if self.open {
            return;
        }
        let unknown =
            fields.keys().filter(|name| self.fields.iter().all(|field| field.name != name.as_str()));
        wrong.extend(unknown.take(5).map(|name| {
            let name: String = name.chars().take(60).collect();
            format!("{place}{} is in no schema", crate::tape::printable(name.as_bytes()))
        }));
    }
}

impl Kind {
    fn check(self, value: &Value, place: &str, wrong: &mut Vec<String>) {
        let all_text = |mut values: Box<dyn Iterator<Item = &Value> + '_>| values.all(Value::is_string);
        let right = match self {
            Self::Text => value.is_string(),
            Self::TextOrNull => value.is_string() || value.is_null(),
            Self::Count => value.is_u64(),
            Self::Flag => value.is_boolean(),
            Self::Texts => value.as_array().is_some_and(|list| all_text(Box::new(list.iter()))),
            Self::Place => {
                value.as_array().is_some_and(|way| way.iter().all(|part| part.is_string() || part.is_i64()))
            }
            Self::TextsByName => value.as_object().is_some_and(|map| all_text(Box::new(map.values()))),
            Self::List { of, may_be_empty } => match value.as_array() {
                Some(list) => {
                    let each = list.iter().take(100).enumerate();
                    each.for_each(|(index, item)| of.object(item, &format!("{place}[{index}]."), wrong));
                    may_be_empty || !list.is_empty()
                }
                None => false,
            },
        };
        if !right {
            wrong.push(format!("{place} is not {}", self.in_words()));
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::TextOrNull => "text or null",
            Self::Count => "a whole number",
            Self::Flag => "true or false",
            Self::Texts => "a list of texts",
            Self::Place => "a list of texts and whole numbers",
            Self::TextsByName => "texts by name",
            Self::List { may_be_empty: true, .. } => "a list of objects",
            Self::List { may_be_empty: false, .. } => "a list of at least one object",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_shape_is_held_to_strictly() {
        let inbox = Shape::named("inbox v2").unwrap();
        let good = json!({ "messages": ["a"], "links": { "self": "/" }, "approx_inbox_count": 1 });
        assert_eq!(inbox.check(&good), Ok(()));
        for (field, value, complaint) in [
            ("messages", json!([1]), "messages is not a list of texts"),
            ("messages", Value::Null, "messages is not a list of texts"),
            ("links", json!({ "next": null }), "links is not texts by name"),
            ("approx_inbox_count", json!(-1), "approx_inbox_count is not a whole number"),
            ("count", json!(1), "count is in no schema"),
        ] {
            let mut body = good.clone();
            body[field] = value;
            assert_eq!(inbox.check(&body), Err(vec![complaint.to_owned()]));
        }
        assert_eq!(inbox.check(&json!({})), Err(vec!["messages is missing".to_owned()]));
        assert_eq!(inbox.check(&json!([])), Err(vec!["the body is no object".to_owned()]));
    }

    #[test]
    fn a_list_of_objects_is_looked_into() {
        let error = Shape::named("error v2").unwrap();
        assert!(error.check(&json!({ "detail": [] })).is_err());
        let complaint = error.check(&json!({ "detail": [{ "event": "SEND", "code": 12, "msg": "" }] }));
        assert_eq!(complaint, Err(vec!["detail[0].code is not text".to_owned()]));
    }

    #[test]
    fn a_validation_error_may_say_more_and_must_say_what_it_is_about() {
        let error = Shape::named("validation error").unwrap();
        let body = |loc: Value| json!({ "detail": [{ "loc": loc, "msg": "", "type": "", "input": "9", "ctx": { "ge": 10 } }] });
        assert_eq!(error.check(&body(json!(["body", 0, "a"]))), Ok(()));
        for wrong in [json!("query"), json!([null]), Value::Null] {
            let complaint = "detail[0].loc is not a list of texts and whole numbers".to_owned();
            assert_eq!(error.check(&body(wrong)), Err(vec![complaint]));
        }
        assert!(error.check(&json!({ "detail": [{ "loc": [], "msg": "" }] })).is_err());
    }

    #[test]
    fn a_chunk_may_be_numbered_in_v1_alone() {
        let sent = |version| Shape::named(version).unwrap();
        assert_eq!(sent("send v1").check(&json!({ "messageID": "a", "blockID": 2 })), Ok(()));
        assert!(sent("send v1").check(&json!({ "messageID": "a", "blockID": "2" })).is_err());
        assert!(sent("send v2").check(&json!({ "message_id": "a", "blockID": 2 })).is_err());
    }
}
