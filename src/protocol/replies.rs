//! Replies to send, acknowledge and check inbox: how they are written and how they are read.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{ApiVersion, IdError, MessageId};

/// The reply to an accepted send: `messageID` in v1, `message_id` in v2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The ID that MESH gave the message.
    pub message_id: MessageId,
}

/// The reply to an acknowledgement: `messageId` in v1 (capitals differ from the send's), empty in v2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledged {
    /// The message.
    pub message_id: MessageId,
}

/// The message IDs of an inbox page, as a client reads them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Listed {
    /// As listed; not yet held to be message IDs.
    pub messages: Vec<String>,
    /// Links, in v2.
    #[serde(default)]
    pub links: Links,
}

/// Links of a v2 inbox page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Links {
    /// The next page, when there is one: a relative reference, to be followed as it is.
    #[serde(default)]
    pub next: Option<String>,
}

impl Sent {
    /// The body in the shape of a version: JSON.
    #[must_use]
    pub fn body(&self, version: ApiVersion) -> String {
        // No ID has a character that would have to be escaped.
        ["{\"", Self::name(version), "\":\"", self.message_id.as_str(), "\"}"].concat()
    }

    fn name(version: ApiVersion) -> &'static str {
        match version {
            ApiVersion::V1 => "messageID",
            ApiVersion::V2 => "message_id",
        }
    }

    /// Reads a reply in either shape.
    ///
    /// # Errors
    /// What of the reply is not as the OpenAPI's schema SendMessage has it.
    pub fn read(body: &[u8], version: ApiVersion) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(body).map_err(|error| format!("is not JSON: {error}"))?;
        let name = Self::name(version);
        let id = value.get(name).and_then(Value::as_str).ok_or_else(|| format!("has no {name}"))?;
        let message_id = MessageId::parse(id).map_err(|error: IdError| format!("{name} {error}"))?;
        Ok(Self { message_id })
    }

    /// The message ID in a reply to a send, whatever version it is in: `message_id` in v2; `messageID` in v1, and in
    /// its errors (OpenAPI, "Error codes"), where it may be null.
    #[must_use]
    pub fn given_id(body: &[u8]) -> Option<MessageId> {
        let reply: Value = serde_json::from_slice(body).ok()?;
        let versions = [ApiVersion::V2, ApiVersion::V1];
        let id = versions.into_iter().find_map(|version| reply.get(Self::name(version))?.as_str())?;
        MessageId::parse(id).ok()
    }
}

impl Acknowledged {
    /// The body in the shape of a version; `None` where there is none.
    #[must_use]
    pub fn body(&self, version: ApiVersion) -> Option<Value> {
        match version {
            ApiVersion::V1 => Some(json!({ "messageId": self.message_id.as_str() })),
            ApiVersion::V2 => None,
        }
    }
}

impl Listed {
    /// Reads a page in either shape.
    ///
    /// # Errors
    /// What of the reply is not as the OpenAPI's schema Inbox has it.
    pub fn read(body: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(body).map_err(|error| format!("is not an inbox page: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_reads_back_in_its_own_version_only() {
        let sent = Sent { message_id: MessageId::parse("20200529155357895317_3573F8").unwrap() };
        for version in [ApiVersion::V1, ApiVersion::V2] {
            let body = sent.body(version);
            assert_eq!(Sent::read(body.as_bytes(), version), Ok(sent.clone()));
        }
        let v1 = sent.body(ApiVersion::V1);
        assert_eq!(v1, r#"{"messageID":"20200529155357895317_3573F8"}"#);
        assert_eq!(Sent::read(v1.as_bytes(), ApiVersion::V2), Err("has no message_id".to_owned()));
    }

    #[test]
    fn an_id_is_found_in_either_shape_and_nonsense_is_none() {
        for (reply, id) in [
            (r#"{"message_id": "A1"}"#, Some("A1")),
            (r#"{"messageID": "A1", "errorCode": "12"}"#, Some("A1")),
            (r#"{"message_id": null, "messageID": "A1"}"#, Some("A1")),
            (r#"{"message_id": "<script>"}"#, None),
            (r#"{"message_id": 7}"#, None),
            (r#"{"messageId": "A1"}"#, None),
            (r#"["message_id"]"#, None),
            ("<html>", None),
            ("", None),
        ] {
            let given = Sent::given_id(reply.as_bytes());
            assert_eq!(given.as_ref().map(MessageId::as_str), id, "{reply}");
        }
    }

    #[test]
    fn html_is_no_reply() {
        assert!(Sent::read(b"<html>", ApiVersion::V2).unwrap_err().starts_with("is not JSON"));
        assert!(Listed::read(b"<html>").is_err());
        assert!(Listed::read(br#"{"messages": null}"#).is_err());
        assert!(Listed::read(br#"{"messages": ["a"], "links": {"self": "x"}, "more": 1}"#).is_ok());
    }
}
