//! What a mailbox that sends may do that it must not: handshakes, sends, chunks.

use super::*;

pub(in super::super) const FAULTS: &[Fault] = &[
    asks(
        "client-version-not-needed",
        "a handshake needs no Mex-ClientVersion",
        &["handshake"],
        |operation, parts, _| {
            if matches!(operation, Operation::Handshake(_)) {
                supply(parts, MEX_CLIENT_VERSION, "unknown");
            }
        },
    ),
    asks("os-name-not-needed", "a handshake needs no Mex-OSName", &["handshake"], |operation, parts, _| {
        if matches!(operation, Operation::Handshake(_)) {
            supply(parts, MEX_OS_NAME, "unknown");
        }
    }),
    asks(
        "os-version-not-needed",
        "a handshake needs no Mex-OSVersion",
        &["handshake"],
        |operation, parts, _| {
            if matches!(operation, Operation::Handshake(_)) {
                supply(parts, MEX_OS_VERSION, "unknown");
            }
        },
    ),
    asks(
        "recipient-not-needed",
        "a send without Mex-To is sent to its sender",
        &["send message"],
        |operation, parts, _| {
            if let Operation::SendMessage(mailbox) = operation
                && parts.headers.get(MEX_TO).is_none_or(HeaderValue::is_empty)
                && let Ok(to) = HeaderValue::from_str(mailbox.as_str())
            {
                parts.headers.insert(MEX_TO, to);
            }
        },
    ),
    asks(
        "workflow-not-needed",
        "a send needs no Mex-WorkflowID",
        &["send message"],
        |operation, parts, _| {
            if is_send(operation) {
                supply(parts, MEX_WORKFLOW_ID, "UNKNOWN");
            }
        },
    ),
    asks(
        "recipient-cut",
        "a Mex-To that is too long is cut, and goes back",
        &["send message"],
        |operation, parts, _| {
            if let Operation::SendMessage(mailbox) = operation
                && parts.headers.get(MEX_TO).is_some_and(|to| to.len() > 100)
                && let Ok(to) = HeaderValue::from_str(mailbox.as_str())
            {
                parts.headers.insert(MEX_TO, to);
            }
        },
    ),
    asks(
        "workflow-cut",
        "a workflow ID that is too long is cut",
        &["send message"],
        cuts!(MEX_WORKFLOW_ID, 300),
    ),
    asks("subject-cut", "a subject that is too long is cut", &["send message"], cuts!(MEX_SUBJECT, 500)),
    asks("local-id-cut", "a local ID that is too long is cut", &["send message"], cuts!(MEX_LOCAL_ID, 300)),
    asks(
        "file-name-cut",
        "a file name that is too long is cut",
        &["send message"],
        cuts!(MEX_FILE_NAME, 300),
    ),
    asks(
        "checksum-cut",
        "a checksum that is too long is cut",
        &["send message"],
        cuts!(MEX_CONTENT_CHECKSUM, 100),
    ),
    asks(
        "chunk-range-cut",
        "a chunk range that is too long is left out",
        &["send message"],
        |operation, parts, _| {
            if is_send(operation) && parts.headers.get(MEX_CHUNK_RANGE).is_some_and(|range| range.len() > 20)
            {
                parts.headers.remove(MEX_CHUNK_RANGE);
            }
        },
    ),
    asks("from-unchecked", "Mex-From may be anybody", &["send message"], loses!(MEX_FROM)),
    asks(
        "message-type-unchecked",
        "Mex-MessageType may be anything",
        &["send message"],
        loses!(MEX_MESSAGE_TYPE),
    ),
    asks("version-unchecked", "Mex-Version may be anything", &["send message"], loses!(MEX_VERSION)),
    asks(
        "control-characters-taken",
        "a header may have a tab or an accent",
        &["send message"],
        |operation, parts, _| {
            if is_send(operation) {
                let odd =
                    |value: &HeaderValue| value.as_bytes().iter().any(|byte| *byte == b'\t' || *byte > 126);
                let names: Vec<HeaderName> = parts
                    .headers
                    .iter()
                    .filter(|(_, value)| odd(value))
                    .map(|(name, _)| name.clone())
                    .collect();
                for name in names {
                    parts.headers.insert(name, HeaderValue::from_static("x"));
                }
            }
        },
    ),
    asks("subject-lost", "the subject is not handed on", &["send message"], loses!(MEX_SUBJECT)),
    asks("local-id-lost", "the local ID is not handed on", &["send message"], loses!(MEX_LOCAL_ID)),
    asks("file-name-lost", "the file name is not handed on", &["send message"], loses!(MEX_FILE_NAME)),
    asks("checksum-lost", "the checksum is not handed on", &["send message"], loses!(MEX_CONTENT_CHECKSUM)),
    asks("content-type-lost", "the content type is not handed on", &["send message"], loses!(CONTENT_TYPE)),
    asks(
        "other-encoding-taken",
        "any content encoding is taken as none",
        &["send message"],
        |operation, parts, _| {
            let known = parts.headers.get(CONTENT_ENCODING).is_none_or(|encoding| encoding == "gzip");
            if is_send(operation) && !known {
                parts.headers.remove(CONTENT_ENCODING);
            }
        },
    ),
    asks("encoding-lost", "a compressed body is taken as it is", &["send message"], loses!(CONTENT_ENCODING)),
    asks(
        "range-unchecked",
        "a chunk range that is none is passed over",
        &["send message"],
        |operation, parts, _| {
            let range = parts.headers.get(MEX_CHUNK_RANGE).and_then(|range| range.to_str().ok());
            if is_send(operation) && range.is_some_and(|range| range.parse::<ChunkRange>().is_err()) {
                parts.headers.remove(MEX_CHUNK_RANGE);
            }
        },
    ),
    asks(
        "first-chunk-is-whole",
        "the first chunk is delivered as the whole message",
        &["send message"],
        loses!(MEX_CHUNK_RANGE),
    ),
    asks(
        "chunk-range-ignored",
        "the range of a later chunk makes no difference",
        &["send chunk"],
        |operation, parts, _| {
            if matches!(operation, Operation::SendChunk(..)) {
                parts.headers.remove(MEX_CHUNK_RANGE);
            }
        },
    ),
    asks(
        "chunk-encoding-demanded",
        "a later chunk must repeat its encoding",
        &["send chunk"],
        |operation, parts, _| {
            if matches!(operation, Operation::SendChunk(..)) && !parts.headers.contains_key(CONTENT_ENCODING)
            {
                parts.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("identity"));
            }
        },
    ),
    asks(
        "chunk-encoding-ignored",
        "the encoding of a later chunk makes no difference",
        &["send chunk"],
        |operation, parts, _| {
            if matches!(operation, Operation::SendChunk(..)) {
                parts.headers.remove(CONTENT_ENCODING);
            }
        },
    ),
    asks(
        "chunk-of-anybody",
        "anybody may send a chunk of a message",
        &["send chunk"],
        |operation, _, mailroom| {
            if let Operation::SendChunk(mailbox, id, _) = operation
                && let Some(sender) = sender(mailroom, id)
            {
                *mailbox = sender;
            }
        },
    ),
];
