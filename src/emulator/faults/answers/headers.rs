//! Headers that are left out or say something else.

use super::{Effect, Fault, lacks, says};

pub(in crate::emulator::faults) const FAULTS: &[Fault] = &[
    lacks("no-from", "mex-from"),
    lacks("no-to", "mex-to"),
    lacks("no-workflow", "mex-workflowid"),
    lacks("no-message-id", "mex-messageid"),
    lacks("no-message-type", "mex-messagetype"),
    lacks("no-file-name", "mex-filename"),
    lacks("no-local-id", "mex-localid"),
    lacks("no-subject", "mex-subject"),
    lacks("no-checksum", "mex-content-checksum"),
    lacks("no-status-timestamp", "mex-statustimestamp"),
    lacks("no-status-description", "mex-statusdescription"),
    lacks("no-linked-message", "mex-linkedmsgid"),
    lacks("no-content-encoding", "content-encoding"),
    Fault {
        name: "chunks-lose-their-encoding",
        what: "a later chunk does not say that it is compressed",
        effect: Effect::Header("download chunk", "content-encoding", None),
    },
    says("other-message-type", "mex-messagetype", "DATA "),
    says("report-is-data", "mex-messagetype", "DATA"),
    says("data-is-report", "mex-messagetype", "REPORT"),
    says("other-from", "mex-from", "SOMEBODY"),
    says("other-to", "mex-to", "SOMEBODY"),
    says("other-workflow", "mex-workflowid", "OTHER"),
    says("other-message-id", "mex-messageid", "20200101000000000000_000000"),
    says("always-00", "mex-statuscode", "00"),
    says("never-00", "mex-statuscode", "99"),
    says("always-success", "mex-statussuccess", "SUCCESS"),
    says("always-error", "mex-statussuccess", "ERROR"),
    says("always-transfer", "mex-statusevent", "TRANSFER"),
    says("never-compressed", "mex-content-compressed", "N"),
    says("always-compressed", "mex-content-compressed", "Y"),
    says("other-content-type", "content-type", "text/html"),
    Fault {
        name: "head-without-headers",
        what: "the head of a message lacks its ID",
        effect: Effect::Header("head message", "mex-messageid", None),
    },
    Fault {
        name: "head-of-other-type",
        what: "the head of a message says nothing of its type",
        effect: Effect::Header("head message", "mex-messagetype", None),
    },
    Fault {
        name: "no-chunk-range",
        what: "no answer has a chunk range",
        effect: Effect::Altered("", "mex-chunk-range", |_| None),
    },
    Fault {
        name: "chunk-range-from-0",
        what: "chunks are counted from 0",
        effect: Effect::Altered("", "mex-chunk-range", |range| {
            let (index, total) = range.split_once(':')?;
            Some(format!("{}:{total}", index.parse::<u32>().ok()?.checked_sub(1)?))
        }),
    },
    Fault {
        name: "media-type-json",
        what: "every answer is application/json",
        effect: Effect::Altered("", "content-type", |media_type| {
            Some(if media_type.contains("json") { "application/json" } else { media_type }.to_owned())
        }),
    },
    Fault {
        name: "media-type-text",
        what: "every JSON is text/plain",
        effect: Effect::Altered("", "content-type", |media_type| {
            Some(if media_type.contains("json") { "text/plain" } else { media_type }.to_owned())
        }),
    },
    Fault {
        name: "no-media-type",
        what: "no answer says of which type it is",
        effect: Effect::Altered("", "content-type", |_| None),
    },
];
