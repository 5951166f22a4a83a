//! Which defect is which rule's.

use Expected::{Broken, Warned};

/// What the rule comes to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// It is broken: the run fails.
    Broken,
    /// It gives a warning: a SHOULD or a MAY, or a finding that may be right.
    Warned,
}

/// A product that is right but for one thing.
pub struct Defect {
    /// What it does, as the product's argument.
    pub name: &'static str,
    /// The cases of the pack in which it shows.
    pub cases: &'static [u16],
    /// The rule that names it.
    pub rule: &'static str,
    pub expected: Expected,
    /// What stands in the configuration besides the product.
    pub config: &'static str,
}

const fn defect(name: &'static str, cases: &'static [u16], rule: &'static str, expected: Expected) -> Defect {
    Defect { name, cases, rule, expected, config: "" }
}

const LARGE_CHUNKS: &str = "chunking: {message_bytes: 7000000, chunk_bytes: 6000000}";

/// Every defect.
pub const DEFECTS: &[Defect] = &[
    // Tokens.
    defect("no-token", &[201], "token-form", Broken),
    defect("no-scheme", &[201], "token-form", Broken),
    defect("two-blanks", &[201], "token-form", Broken),
    defect("mailbox-in-lower-case", &[201], "token-form", Broken),
    defect("nonce-of-its-own", &[201], "token-form", Broken),
    defect("count-in-words", &[201], "token-form", Broken),
    defect("another-mailboxs-token", &[201], "token-form", Broken),
    defect("hash-without-key", &[201], "token-hash", Broken),
    defect("hash-in-header-order", &[201], "token-hash", Broken),
    defect("hash-keyed-with-password", &[201], "token-hash", Broken),
    defect("hash-in-upper-case", &[201], "token-hash", Warned),
    defect("british-summer-time", &[201], "token-timestamp", Broken),
    defect("new-york-time", &[201], "token-timestamp", Broken),
    defect("clock-of-last-week", &[201], "token-timestamp", Broken),
    defect("clock-some-minutes-slow", &[201], "token-timestamp", Warned),
    defect("token-used-twice", &[401], "token-repeated", Broken),
    defect("count-falls", &[401], "nonce-count", Warned),
    // Validation.
    defect("looks-before-it-validates", &[201], "handshake-first", Broken),
    defect("never-validates", &[201], "handshake-first", Broken),
    defect("validates-three-times", &[201], "handshake-burst", Warned),
    defect("validates-each-time", &[201, 401], "handshake-burst", Warned),
    defect("says-nothing-of-its-system", &[201], "handshake-headers", Broken),
    // Sending.
    defect("validates-instead-of-looking", &[201], "inbox-after-send", Broken),
    defect("sends-two-at-once", &[201], "one-at-a-time", Broken),
    defect("to-nobody", &[201], "send-headers", Broken),
    defect("no-workflow", &[201], "send-headers", Broken),
    defect("subject-too-long", &[201], "send-headers", Broken),
    defect("to-two", &[201], "send-headers", Broken),
    defect("from-nobody", &[201], "mex-from", Warned),
    defect("from-another-mailbox", &[201], "mex-from", Broken),
    defect("sends-twice", &[201], "send-repeated", Warned),
    defect("patient-in-local-id", &[201], "patient-in-headers", Broken),
    defect("patient-in-subject", &[201], "patient-in-headers", Warned),
    defect("to-half-a-patient", &[201], "patient-address", Broken),
    defect("says-gzip-and-sends-plain", &[202], "gzip-declared", Broken),
    defect("says-deflate", &[202], "gzip-declared", Broken),
    defect("no-flag-for-gzip", &[202], "gzip-declared", Warned),
    defect("polls-tracking", &[201], "tracking-polled", Broken),
    // Sending in chunks.
    defect("compresses-then-splits", &[502], "chunk-encoding", Broken),
    defect("encoding-on-the-first-chunk-only", &[502], "chunk-encoding", Warned),
    defect("compresses-the-first-chunk-only", &[502], "chunk-encoding", Broken),
    defect("compresses-all-but-the-first-chunk", &[502], "chunk-encoding", Broken),
    defect("says-gzip-of-a-plain-chunk", &[502], "gzip-declared", Broken),
    defect("chunks-without-range", &[502], "send-headers", Warned),
    defect("last-chunk-first", &[502], "chunk-order", Broken),
    defect("last-chunk-never", &[502], "chunk-order", Broken),
    defect("totals-differ", &[502], "chunk-order", Broken),
    Defect { config: LARGE_CHUNKS, ..defect("small-chunks", &[502], "chunk-size", Warned) },
    // Receiving.
    defect("never-acknowledges", &[401], "acknowledge-after-download", Broken),
    defect("acknowledges-after-the-next-look", &[401], "acknowledge-after-download", Broken),
    defect("downloads-twice", &[401], "fetched-again", Warned),
    defect("downloads-three-times", &[401], "fetched-again", Broken),
    defect("acknowledges-unseen", &[401], "acknowledge-only-complete", Broken),
    defect("acknowledges-after-the-first-chunk", &[501], "acknowledge-only-complete", Broken),
    defect("acknowledges-what-it-did-not-get", &[704], "acknowledge-only-complete", Broken),
    defect("leaves-reports", &[703], "reports-acknowledged", Broken),
    defect("looks-all-the-time", &[401], "polling-interval", Warned),
    defect("stops-after-one-page", &[601], "until-empty", Broken),
    defect("encodes-the-link-anew", &[601], "next-verbatim", Broken),
    defect("asks-for-version-1", &[201], "version-2", Warned),
    // When MESH says no.
    defect("never-takes-no", &[701], "refusals", Broken),
    defect("insists-on-what-is-gone", &[704], "refusals", Broken),
    // When MESH is not available.
    defect("asks-again-and-again", &[503], "failures-repeated", Warned),
    defect("passes-over-retry-after", &[429], "retry-after", Warned),
    // Calls.
    defect("calls-what-there-is-not", &[401], "known-calls", Warned),
    defect("counts-first", &[401], "deprecated", Warned),
];
