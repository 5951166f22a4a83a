//! Replies to "Look up MESH address" and "Lookup by workflow".

use serde_json::{Value, json};

use super::{ApiVersion, Correspondent};

/// The mailboxes that a lookup found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found(pub Vec<Correspondent>);

impl Found {
    /// The body of "Look up MESH address": v1 has a query ID and describes endpoints, v2 mailboxes.
    #[must_use]
    pub fn endpoints(&self, version: ApiVersion, query_id: &str) -> Value {
        match version {
            ApiVersion::V1 => {
                let endpoint = |found: &Correspondent| json!({ "address": found.mailbox, "description": found.name, "endpoint_type": "MESH" });
                json!({ "query_id": query_id, "results": self.0.iter().map(endpoint).collect::<Vec<_>>() })
            }
            ApiVersion::V2 => self.mailboxes(),
        }
    }

    /// The body of "Lookup by workflow", one shape for both versions (OpenAPI, schema lookup_v2).
    #[must_use]
    pub fn mailboxes(&self) -> Value {
        let mailbox =
            |found: &Correspondent| json!({ "mailbox_id": found.mailbox, "mailbox_name": found.name });
        json!({ "results": self.0.iter().map(mailbox).collect::<Vec<_>>() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lookup_has_the_documented_shape_in_each_version() {
        let found = Found(vec![Correspondent {
            mailbox: "X2612345".to_owned(),
            name: "this is a test mailbox".to_owned(),
            ..Correspondent::default()
        }]);
        assert_eq!(
            found.endpoints(ApiVersion::V1, "Q1"),
            json!({ "query_id": "Q1", "results": [
                { "address": "X2612345", "description": "this is a test mailbox", "endpoint_type": "MESH" }] })
        );
        let mailboxes =
            json!({ "results": [{ "mailbox_id": "X2612345", "mailbox_name": "this is a test mailbox" }] });
        assert_eq!(found.endpoints(ApiVersion::V2, "Q1"), mailboxes);
        assert_eq!(found.mailboxes(), mailboxes);
    }
}
