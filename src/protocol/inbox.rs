//! The query of "Check an inbox" and the page it answers.

use serde_json::{Value, json};

use super::{ApiVersion, MailboxId, MessageId, ValidationError, WorkflowFilter};

/// How many messages a page has when the client does not say (OpenAPI, `max_results`).
pub const MAX_RESULTS_DEFAULT: usize = 500;

/// What a client asks of its inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxQuery {
    /// Longest page wanted, 10 to 5000.
    pub max_results: usize,
    /// Where the page before ended, as the endpoint wrote it into `links.next`; 24 to 1000 characters.
    pub continue_from: Option<String>,
    /// Which workflows to list.
    pub workflow_filter: Option<WorkflowFilter>,
    /// The filter as the client wrote it, for the links.
    filter_text: Option<String>,
}

impl InboxQuery {
    /// Reads the query string, undecoded, without the `?`.
    ///
    /// # Errors
    /// The first parameter outside its documented limits. Unknown parameters are passed over.
    pub fn parse(query: &str) -> Result<Self, ValidationError> {
        let mut parsed = Self::whole();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let invalid = |msg: &str| ValidationError::new("query", &name, msg);
            match name.as_ref() {
                "max_results" => {
                    let number = value.parse().ok().filter(|number| (10..=5000).contains(number));
                    parsed.max_results = number.ok_or_else(|| invalid("must be a number from 10 to 5000"))?;
                }
                "continue_from" => {
                    let right = (24..=1000).contains(&value.chars().count());
                    let value = right.then(|| value.into_owned());
                    parsed.continue_from =
                        Some(value.ok_or_else(|| invalid("must have 24 to 1000 characters"))?);
                }
                "workflow_filter" => {
                    let filter = value
                        .parse()
                        .map_err(|error: super::WorkflowFilterError| invalid(&error.to_string()))?;
                    parsed.workflow_filter = Some(filter);
                    parsed.filter_text = Some(value.into_owned());
                }
                _ => {}
            }
        }
        Ok(parsed)
    }

    /// The first page without a filter.
    #[must_use]
    pub fn whole() -> Self {
        Self {
            max_results: MAX_RESULTS_DEFAULT,
            continue_from: None,
            workflow_filter: None,
            filter_text: None,
        }
    }

    /// The same with a filter, as it was read and as it was written.
    #[must_use]
    pub fn filtered(self, filter: WorkflowFilter, text: String) -> Self {
        Self { workflow_filter: Some(filter), filter_text: Some(text), ..self }
    }

    /// The relative link to the page that starts at `continue_from`, with the same filter.
    #[must_use]
    pub fn link(&self, mailbox: &MailboxId, continue_from: Option<&str>) -> String {
        self.written(mailbox, continue_from, true)
    }

    /// The same as mesh-sandbox 1.0.137 writes it: without the size of a page that has the default's.
    #[must_use]
    pub fn short_link(&self, mailbox: &MailboxId, continue_from: Option<&str>) -> String {
        let link = self.written(mailbox, continue_from, self.max_results != MAX_RESULTS_DEFAULT);
        // Its library encodes the star of a filter and leaves the tilde, and no query has others.
        link.trim_end_matches('?').replace('*', "%2A").replace("%7E", "~")
    }

    fn written(&self, mailbox: &MailboxId, continue_from: Option<&str>, with_size: bool) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if with_size {
            query.append_pair("max_results", &self.max_results.to_string());
        }
        if let Some(filter) = &self.filter_text {
            query.append_pair("workflow_filter", filter);
        }
        if let Some(place) = continue_from {
            query.append_pair("continue_from", place);
        }
        format!("/messageexchange/{mailbox}/inbox?{}", query.finish())
    }
}

/// A page of an inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxPage {
    /// What waits, oldest first.
    pub messages: Vec<MessageId>,
    /// How many wait in all, without regard to filter and page.
    pub approx_inbox_count: usize,
    /// Where the next page starts; `None` when this is the last.
    pub continue_from: Option<String>,
}

impl InboxPage {
    /// The body, in the shape of a version: v1 has the messages only (OpenAPI, schema Inbox).
    #[must_use]
    pub fn body(&self, version: ApiVersion, mailbox: &MailboxId, query: &InboxQuery) -> Value {
        self.linked_body(version, |place| query.link(mailbox, place.or(query.continue_from.as_deref())))
    }

    /// The same with links to the page itself and to the one that starts at a place.
    #[must_use]
    pub fn linked_body(&self, version: ApiVersion, link: impl Fn(Option<&str>) -> String) -> Value {
        let messages: Vec<&str> = self.messages.iter().map(MessageId::as_str).collect();
        match version {
            ApiVersion::V1 => json!({ "messages": messages }),
            ApiVersion::V2 => {
                let mut links = json!({ "self": link(None) });
                if let Some(place) = &self.continue_from {
                    links["next"] = json!(link(Some(place)));
                }
                json!({ "messages": messages, "links": links, "approx_inbox_count": self.approx_inbox_count })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn limits_are_those_of_the_openapi() {
        assert_eq!(InboxQuery::parse("").unwrap().max_results, 500);
        assert_eq!(InboxQuery::parse("max_results=10&x=y").unwrap().max_results, 10);
        for bad in [
            "max_results=9",
            "max_results=5001",
            "max_results=ten",
            "continue_from=short",
            "workflow_filter=A",
        ] {
            let error = InboxQuery::parse(bad).unwrap_err();
            assert_eq!(error.loc, ["query", bad.split('=').next().unwrap()]);
        }
    }

    #[test]
    fn links_keep_the_filter_and_v1_has_none() {
        let mailbox = MailboxId::parse("MB12345").unwrap();
        let query = InboxQuery::parse("max_results=10&workflow_filter=%21*_ACK*").unwrap();
        let page = InboxPage { messages: vec![], approx_inbox_count: 3, continue_from: Some("x".repeat(24)) };
        let body = page.body(ApiVersion::V2, &mailbox, &query);
        let next = body["links"]["next"].as_str().unwrap();
        let (path, again) = next.split_once('?').unwrap();
        assert_eq!(path, "/messageexchange/MB12345/inbox");
        let again = InboxQuery::parse(again).unwrap();
        assert_eq!(again, InboxQuery { continue_from: Some("x".repeat(24)), ..query.clone() });
        assert_eq!(page.body(ApiVersion::V1, &mailbox, &query), json!({ "messages": [] }));
    }

    proptest! {
        #[test]
        fn no_query_stops_the_parser(query in "\\PC{0,200}") {
            let _ = InboxQuery::parse(&query);
        }
    }
}
