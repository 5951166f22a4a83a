//! What a mailbox that receives may do that it must not, and what pages and filters leave undone.

use super::*;

pub(in super::super) const FAULTS: &[Fault] = &[
    asks(
        "download-of-anybody",
        "anybody may download a message",
        &["download message"],
        |operation, _, mailroom| {
            if let Operation::GetMessage(mailbox, id) = operation
                && let Some(recipient) = recipient(mailroom, id)
            {
                *mailbox = recipient;
            }
        },
    ),
    asks(
        "head-of-anybody",
        "anybody may look at the head of a message",
        &["head message"],
        |operation, _, mailroom| {
            if let Operation::HeadMessage(mailbox, id) = operation
                && let Some(recipient) = recipient(mailroom, id)
            {
                *mailbox = recipient;
            }
        },
    ),
    asks(
        "chunk-download-of-anybody",
        "anybody may download a chunk",
        &["download chunk"],
        |operation, _, mailroom| {
            if let Operation::GetChunk(mailbox, id, _) = operation
                && let Some(recipient) = recipient(mailroom, id)
            {
                *mailbox = recipient;
            }
        },
    ),
    asks(
        "acknowledge-by-anybody",
        "anybody may acknowledge a message",
        &["acknowledge message"],
        |operation, _, mailroom| {
            if let Operation::Acknowledge(mailbox, id) = operation
                && let Some(recipient) = recipient(mailroom, id)
            {
                *mailbox = recipient;
            }
        },
    ),
    asks(
        "chunks-beyond-served",
        "a chunk beyond the last is the first",
        &["download chunk"],
        |operation, _, _| {
            if let Operation::GetChunk(_, _, number) = operation
                && number.get() > 3
            {
                *number = std::num::NonZeroU32::MIN;
            }
        },
    ),
    asks("chunks-swapped", "the second chunk is the first", &["download chunk"], |operation, _, _| {
        if let Operation::GetChunk(_, _, number) = operation
            && number.get() == 2
        {
            *number = std::num::NonZeroU32::MIN;
        }
    }),
    asks(
        "gzip-unasked",
        "a compressed message is handed out compressed, asked or not",
        &["download message", "download chunk"],
        |_, parts, _| {
            parts.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        },
    ),
    asks(
        "gzip-never",
        "no message is handed out compressed",
        &["download message", "download chunk"],
        |_, parts, _| {
            parts.headers.remove(ACCEPT_ENCODING);
        },
    ),
    asks(
        "page-length-ignored",
        "max_results makes no difference",
        &["check inbox"],
        |operation, parts, _| {
            if matches!(operation, Operation::CheckInbox(_)) {
                without(parts, "max_results");
            }
        },
    ),
    asks(
        "page-length-unchecked",
        "max_results may be any number",
        &["check inbox"],
        |operation, parts, _| {
            if matches!(operation, Operation::CheckInbox(_)) {
                change_query(parts, |name, value| {
                    let number = value.parse::<i64>().ok().filter(|number| (10..=5000).contains(number));
                    Some(if name == "max_results" && number.is_none() { "500" } else { value }.to_owned())
                });
            }
        },
    ),
    asks("place-unchecked", "continue_from may be anything", &["check inbox"], |operation, parts, _| {
        let query = parts.uri.query().unwrap_or_default();
        if let Operation::CheckInbox(_) = operation
            && (query.contains("continue_from=short") || query.contains("continue_from=nobody"))
        {
            without(parts, "continue_from");
        }
    }),
    asks("place-ignored", "every page begins at the beginning", &["check inbox"], |operation, parts, _| {
        if matches!(operation, Operation::CheckInbox(_))
            && InboxQuery::parse(parts.uri.query().unwrap_or_default()).is_ok()
            && !parts.uri.query().unwrap_or_default().contains("continue_from=nobody")
        {
            without(parts, "continue_from");
        }
    }),
    asks("filter-ignored", "workflow_filter makes no difference", &["check inbox"], |operation, parts, _| {
        let query = parts.uri.query().unwrap_or_default();
        if matches!(operation, Operation::CheckInbox(_)) && InboxQuery::parse(query).is_ok() {
            without(parts, "workflow_filter");
        }
    }),
    asks(
        "filter-unchecked",
        "a workflow_filter that is none is passed over",
        &["check inbox"],
        |operation, parts, _| {
            let query = parts.uri.query().unwrap_or_default();
            if matches!(operation, Operation::CheckInbox(_))
                && query.contains("workflow_filter")
                && InboxQuery::parse(query).is_err()
            {
                without(parts, "workflow_filter");
            }
        },
    ),
    asks("filter-without-not", "workflow_filter knows no !", &["check inbox"], |operation, parts, _| {
        if matches!(operation, Operation::CheckInbox(_)) {
            change_query(parts, |name, value| {
                let bare = if name == "workflow_filter" { value.trim_start_matches('!') } else { value };
                Some(bare.to_owned())
            });
        }
    }),
    asks(
        "filter-without-beginning",
        "a filter with one star is taken without it",
        &["check inbox"],
        |operation, parts, _| {
            if matches!(operation, Operation::CheckInbox(_)) {
                change_query(parts, |name, value| {
                    let one_star = name == "workflow_filter" && value.matches('*').count() == 1;
                    Some(if one_star { value.trim_end_matches('*') } else { value }.to_owned())
                });
            }
        },
    ),
    asks(
        "filter-without-containing",
        "a filter with two stars is taken as with one",
        &["check inbox"],
        |operation, parts, _| {
            if matches!(operation, Operation::CheckInbox(_)) {
                change_query(parts, |name, value| {
                    let two_stars = name == "workflow_filter" && value.matches('*').count() == 2;
                    Some(if two_stars { value.replacen('*', "", 1) } else { value.to_owned() })
                });
            }
        },
    ),
];
