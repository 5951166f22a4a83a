//! Queries of an inbox check: within the OpenAPI's limits, and a link asks for the same again.
#![no_main]

use http::Uri;
use libfuzzer_sys::fuzz_target;
use mesh_witness::protocol::{ApiVersion, InboxPage, InboxQuery, MailboxId};

fuzz_target!(|text: &str| {
    let mailbox = MailboxId::parse("X26ABC1").expect("a mailbox ID");
    let query = match InboxQuery::parse(text) {
        Ok(query) => query,
        Err(error) => {
            assert_eq!(error.loc.first().map(String::as_str), Some("query"));
            return;
        }
    };
    assert!((10..=5000).contains(&query.max_results));
    let place = query.continue_from.clone();
    assert!(place.as_ref().is_none_or(|place| (24..=1000).contains(&place.chars().count())));

    let link = query.link(&mailbox, place.as_deref());
    // The http library takes no longer URI than this.
    if link.len() < usize::from(u16::MAX) {
        let uri: Uri = link.parse().expect("a link is a URI");
        assert_eq!(uri.path(), "/messageexchange/X26ABC1/inbox");
        assert_eq!(InboxQuery::parse(uri.query().unwrap_or_default()).as_ref(), Ok(&query));
    }
    let page = InboxPage { messages: Vec::new(), approx_inbox_count: 0, continue_from: place.clone() };
    let body = page.body(ApiVersion::V2, &mailbox, &query);
    assert_eq!(body["links"]["next"].as_str(), place.is_some().then_some(link.as_str()));
});
