//! Every rule there is.

use super::{
    Examined, Traffic, acknowledging, chunks, compression, connections, failures, handshakes, patients,
    polling, refusals, responses, sending, tokens, tracking,
};

/// A rule over recorded traffic.
pub struct Rule {
    /// A name that stays, such as `token-repeated`.
    pub id: &'static str,
    /// What must be so, in one sentence.
    pub title: &'static str,
    /// How much it binds.
    pub severity: Severity,
    /// Which document demands it: a part of the OpenAPI, or a case of the assurance pack.
    pub source: &'static str,
    /// How to mend what breaks it.
    pub remedy: &'static str,
    /// Why it is not applicable when a recording has nothing that it is about.
    pub nothing: &'static str,
    /// Looks at a recording.
    pub(super) examine: fn(&Traffic) -> Examined,
}

/// How much a rule binds. A broken MUST fails; a broken SHOULD or MAY is a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Demanded.
    Must,
    /// Recommended, or sources disagree.
    Should,
    /// Good practice.
    May,
}

impl Severity {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
            Self::May => "MAY",
        }
    }
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rule").field("id", &self.id).finish_non_exhaustive()
    }
}

use Severity::{May, Must, Should};

const NO_TOKENS: &str = "the recording has no call on a mailbox";
const NO_SENDS: &str = "the recording has no send";
const NO_DOWNLOADS: &str = "the recording has no download";
const NO_LISTS: &str = "the recording has no inbox check";
const AUTHORIZATION: &str = "OpenAPI, MESH Authorization header";

macro_rules! rules {
    ($($id:literal $severity:ident $examine:path, $source:expr, $nothing:expr, $title:literal, $remedy:literal;)*) => {
        /// All rules, in the order in which results come.
        pub static RULES: &[Rule] = &[$(Rule {
            id: $id, title: $title, severity: $severity, source: $source, remedy: $remedy, nothing: $nothing, examine: $examine,
        }),*];
    };
}

rules! {
    "token-form" Must tokens::form, AUTHORIZATION, NO_TOKENS,
    "Every call on a mailbox has a token: NHSMESH, one space, and five fields, the mailbox in upper case and that of the path, the nonce a GUID, the count a number",
    "Write the header as NHSMESH mailbox:nonce:count:timestamp:hash, with the mailbox ID of the path in upper case.";

    "token-hash" Must tokens::hash, AUTHORIZATION, NO_TOKENS,
    "The token's hash is the HMAC-SHA256 that mailbox, nonce, count, password and timestamp give with the shared key",
    "Join mailbox:nonce:count:password:timestamp with colons in this order, which is not that of the header, and take the HMAC-SHA256 with the environment's shared key as the key. A plain SHA-256 is not an HMAC. Check password and shared key. `mesh-witness token --explain` tells what a wrong hash was made of.";

    "token-timestamp" Must tokens::timestamp, AUTHORIZATION, NO_TOKENS,
    "The token's timestamp is the current time in UTC",
    "Take the time in UTC when the request is made; MESH refuses what is more than two hours from its own clock. Synchronise the machine's clock (NTP).";

    "token-repeated" Must tokens::repeated, AUTHORIZATION, NO_TOKENS,
    "No token is used twice",
    "Make a new token for every request: change the nonce, or raise its count. MESH refuses a repeated token with 403.";

    "nonce-count" Should tokens::nonce_count, AUTHORIZATION, NO_TOKENS,
    "The count says how often its nonce was used: it rises with each use",
    "Raise the count with every use of a nonce, or take a new nonce (a random GUID) for every request.";

    "client-certificate" Must connections::certificate, "OpenAPI, Get a TLS certificate: to establish a secure connection", NO_TOKENS,
    "Every connection presents a client certificate that is valid at the time",
    "Configure the certificate that you were issued for this environment, with its key, in the product's HTTP client.";

    "certificate-name" Should connections::certificate_name, "OpenAPI, Get a TLS certificate: format of the common name; reused Spine certificates have other names", NO_TOKENS,
    "The client certificate's common name is LOCAL_ID.ODS_CODE.api.mesh-client.nhs.uk",
    "Ask for a certificate with this name when the present one expires, unless you reuse a Spine certificate on purpose.";

    "one-at-a-time" Must connections::one_at_a_time, "Pack, case 801", NO_TOKENS,
    "A mailbox makes one call at a time",
    "Let one thread at a time speak for a mailbox: the supplier declares so in case 801. Several mailboxes may speak at once.";

    "handshake-first" Must handshakes::first, "OpenAPI, Validate a mailbox (Handshake); pack, case 201: Authenticate first", NO_TOKENS,
    "A mailbox is validated by a handshake before its first use",
    "Make a handshake when the product starts, before anything else, and go on only when it is answered 200.";

    "handshake-daily" Must handshakes::daily, "OpenAPI, Validate a mailbox (Handshake): once every 24 hours", NO_TOKENS,
    "A mailbox is validated once every 24 hours",
    "Repeat the handshake every 24 hours for as long as the product runs, on a timer that survives errors.";

    "handshake-burst" Should handshakes::bursts, "OpenAPI, Validate a mailbox (Handshake): once every 24 hours; older texts have one in every polling period", "the recording has no handshake that was answered well",
    "Handshakes do not come in bursts",
    "Keep the time of the last handshake, over restarts too, and make the next one a day later. Assessors have refused evidence with several handshakes in a row.";

    "handshake-headers" Must handshakes::headers, "OpenAPI, Validate a mailbox (Handshake): mex-clientversion, mex-osname, mex-osversion", "the recording has no handshake",
    "A handshake names the client's version, the operating system and its version",
    "Send Mex-ClientVersion, Mex-OSName and Mex-OSVersion with every handshake.";

    "inbox-after-send" Must polling::after_send, "Pack, case 201: Authenticate, Send, Check Inbox", "the recording has no send that was accepted",
    "The inbox is checked directly after a send",
    "Check the inbox as soon as a message, or a batch of messages, was sent. Assessors read this from the server's log, and have refused a check five minutes later.";

    "acknowledge-after-download" Must acknowledging::before_next_list, "OpenAPI, Inbox poll cycle; pack, case 401: Download, Acknowledge", NO_DOWNLOADS,
    "Every download is followed by its acknowledgement before the inbox is listed again",
    "Acknowledge each message as soon as it is downloaded and stored: until then it stays in the inbox, is listed again, and expires after five days.";

    "fetched-again" Must acknowledging::fetched_again, "Pack, case 401; OpenAPI, Inbox poll cycle", NO_DOWNLOADS,
    "No message is downloaded again and again",
    "Download once, store, acknowledge. Look for requests that are queued a second time, and for acknowledgements that fail unnoticed.";

    "acknowledge-only-complete" Must acknowledging::only_complete, "OpenAPI, Inbox poll cycle; Get Message chunk; Acknowledge message", "the recording has no acknowledgement",
    "Only what was downloaded whole, all chunks of it, is acknowledged",
    "Acknowledge a message after its last chunk is downloaded, decompressed and stored, and never before: what is acknowledged is gone.";

    "reports-acknowledged" Must acknowledging::reports, "OpenAPI, Asynchronous error reporting; pack, cases 703 and 803", "the recording has no download of a REPORT",
    "Reports of undelivered messages are acknowledged like any message",
    "Look at Mex-MessageType after each download. Show a REPORT to a person, who acts on it, and acknowledge it.";

    "polling-interval" Should polling::not_too_often, "OpenAPI, Check an inbox: a maximum of once every five minutes, unless there are more messages waiting; Inbox poll cycle: suggested every 5 minutes", NO_LISTS,
    "Without need, the inbox is not checked oftener than every five minutes",
    "Poll every five minutes; list again at once only when a page was full, or after a send. It is a warning and no failure, since the OpenAPI says MUST in one place and suggests it in another, and since a rehearsal may poll more often on purpose.";

    "polling-daily" Must polling::at_least_daily, "OpenAPI, Check an inbox: a minimum of once a day; Inbox poll cycle: at least every 24 hours", NO_TOKENS,
    "The inbox is checked at least once every 24 hours",
    "Poll on a timer that survives errors. Reports of what was sent come through the inbox too, so a mailbox that only sends must poll as well.";

    "until-empty" Must polling::until_empty, "OpenAPI, Inbox poll cycle, step 4; pack, case 601", "the recording has no inbox page that was full, or has a next",
    "After a full page the inbox is listed again, until it is empty",
    "When a page has as many messages as were asked for (500), or links.next, list again at once after the page is worked off.";

    "next-verbatim" Must polling::next_verbatim, "OpenAPI, Check an inbox: links.next", "the recording has no inbox check with continue_from",
    "links.next is followed as it was given",
    "Resolve links.next against the endpoint's URL and call it as it is: do not take its parameters apart, and do not encode them again.";

    "version-2" Should polling::asks_for_v2, "OpenAPI, API Versioning", "the recording has no call whose answer depends on the version",
    "Version 2 of the API is asked for",
    "Send Accept: application/vnd.mesh.v2+json with every call; without it the lowest version answers.";

    "send-headers" Must sending::headers, "OpenAPI, Send message; Send chunked message; RFC 9110, 5.3: a header is not repeated", NO_SENDS,
    "A send has Mex-To and Mex-WorkflowID, a chunk Mex-Chunk-Range, each header once, and none is longer than it may be",
    "Send the headers, within the limits that the OpenAPI has for each.";

    "mex-from" Must sending::from, "Pack, case 201; OpenAPI, Error codes: 07", NO_SENDS,
    "A send's Mex-From is the mailbox that speaks; it should have one",
    "Send Mex-From with the mailbox ID of the path and the token.";

    "send-repeated" Should sending::repeated, "OpenAPI, Send message: each call makes a new message", NO_SENDS,
    "A send is not blindly repeated",
    "Do not let the HTTP library retry a POST to the outbox. After a send without an answer, look whether it arrived before sending again, or the recipient gets it twice.";

    "patient-in-headers" Must patients::headers, "OpenAPI, Outbox workflow: the local identifier must not contain PID", "the recording has no send with a local ID, subject or file name",
    "Local ID, subject and file name identify no patient",
    "Use a reference that says nothing of the patient, such as a random GUID, and keep the link to the patient in the product.";

    "patient-address" Must patients::address, "NHS guide to the MESH endpoint lookup: GPPROVIDER", "the recording has no send to a patient's practice (GPPROVIDER)",
    "An address that begins with GPPROVIDER has an NHS number, a date of birth and a surname",
    "Write GPPROVIDER_NHSNUMBER_DATEOFBIRTH_SURNAME: the tag in upper case, ten digits with a right check digit, eight digits, the surname. Ask NHS England in which order the date goes: sources disagree.";

    "gzip-declared" Must compression::declared, "OpenAPI, Outbox workflow; Send message: content-encoding; pack, case 202", NO_SENDS,
    "What is declared as gzip is gzip, each chunk by itself",
    "Compress the body with gzip, once, and send Content-Encoding: gzip.";

    "chunk-encoding" Must compression::alike, "OpenAPI, Send chunked message: compress the chunks separately, do not compress a large file and then split it; Outbox workflow", "the recording has no compressed message in chunks",
    "A message in chunks is split before it is compressed, each chunk is compressed like the first, and says so",
    "Split the uncompressed data first, then compress each chunk by itself, so that each can be decompressed alone, and send Content-Encoding: gzip with every one. Do not compress a large file and split the result.";

    "chunk-order" Must chunks::order, "OpenAPI, Send chunked message; pack, case 502", "the recording has no message in chunks",
    "Chunks are sent in order, with one total, to the last",
    "Send chunk 1 as the message with Mex-Chunk-Range 1:n, then 2:n to n:n in order, each after the one before was answered 202; send a chunk that failed again.";

    "request-size" Must chunks::largest, "OpenAPI, Outbox workflow: 100MB in a single request", NO_SENDS,
    "No request has more than 100 MB",
    "Split the uncompressed data so that each compressed chunk is smaller than 100 MB.";

    "chunk-size" May chunks::small, "NHS mesh-client: chunks but for the last should be larger than 5 MB", "the recording has no message in chunks",
    "Chunks but for the last are larger than 5 MB",
    "Make chunks larger: every one is a request, and the recipient makes as many.";

    "refusals" Must refusals::storms, "Pack, cases 701, 702, 704 and 705: the system handles the refusal", "the recording has no answer of 403, 404, 410, 417 or 423",
    "A call that is refused is not repeated over and over",
    "Treat 403, 404, 410, 417 and 423 as final: do not retry them, tell a person, and go on with something else.";

    "failures-repeated" Should failures::repeated, "prudence, as pack case 701 asks it of 403; no document gives a number; RFC 9110, 503 Service Unavailable", "the recording has no call that was answered with 400, 429 or 500 and above, or not at all",
    "A call that MESH does not answer well is not made again and again",
    "Wait before a call is made again, longer each time, and give up after a few: everybody does so at the same moment when MESH is in trouble. What is answered 400 is wrong as it is, and stays so.";

    "retry-after" Should failures::put_off, "RFC 9110, 10.2.3 Retry-After; RFC 6585, 4; no document of MESH's names 429 or the header", "the recording has no answer of 429 or 503 with Retry-After",
    "A call that is to be made again later is not made before that",
    "Read Retry-After of an answer 429 or 503, a number of seconds or a date, and do not make the call before that time is over.";

    "tracking-polled" Must tracking::not_polled, "OpenAPI, Track outbox: must not be polled frequently", "the recording has no tracking",
    "The status of a message is not polled",
    "Ask now and then, hours apart; have recipients send a business acknowledgement if you need to know.";

    "headers-tolerated" Must responses::tolerated, "OpenAPI, Asynchronous error reporting: treat headers case insensitively", "the recording has no download whose headers are unusual",
    "Response headers are taken in any case, and unknown ones passed over",
    "Look headers up regardless of case, and ignore those that you do not know.";

    "known-calls" Should responses::known, "OpenAPI, paths", NO_TOKENS,
    "Every call is one that the API has",
    "Compare method and path with the OpenAPI: IDs in upper case, no stroke at the end, nothing encoded that need not be. Rules about sends or downloads pass over calls that they cannot recognise.";

    "deprecated" May responses::deprecated, "OpenAPI, Check an inbox count (deprecated); Track outbox (deprecated)", "the recording has no call of the API",
    "Deprecated calls are not used",
    "Use the inbox check instead of the count, and tracking by message ID.";
}

/// The rule of this name.
#[must_use]
pub fn named(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}

/// The table as a page for people (docs/rules.md).
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from(
        "# Rules over recorded traffic\n\n\
         `mesh-witness run` applies these to all that the product did in the run, `mesh-witness judge` to a tape, a HAR or a bundle. This page is made from the table in the code, and a test keeps it so.\n\n\
         A broken MUST fails (exit code 1); a broken SHOULD or MAY is a warning, which changes no verdict. A rule that had nothing to look at is not applicable, with the reason.\n\
         Where sources disagree, the rule takes the weaker claim. A finding of a MUST is a warning where it may be right after all.\n\n\
         Where a recorder was ended and started again, what came about between is not known: whatever is due within a time is judged in each part by itself.\n\n\
         In a run the product is not blamed for what the run does:\n\n\
         - What the run asks for is not the product's own wish: the first inbox check of each poll cycle that it asks for, further handshakes, sends and enquiries that it asks for, chunks of the size that it asks for. What the product does beyond that is judged.\n\
         - What must follow is demanded when the product had the chance: its program has ended by itself, and well. Of a program that failed by its own account or was ended at its time limit it is not; of a product that was asked by a webhook or by a person, only after a while.\n\
         - An inbox check after a send, a handshake before first use: only where the run has asked for it. What is due every day is not judged in a run at all.\n\
         - Each scenario has an empty endpoint: what was left undone at the one before cannot be made up for, and is passed over. Clocks that a scenario has moved are not what a token's time is measured by.\n\
         - Calls that a scenario makes to test an endpoint are no product's.\n\n\
         A bundle says in `data/run/course.json` what was asked for and when, so `judge` comes to the same result. A HAR or a tape does not, and is judged as of a product that acted by itself. What a bundle's HAR says of TLS, on the leg to the product too, is read back; the HAR of another program says nothing of it.\n\n\
         What `judge --format json` prints is [below](#what-judge---format-json-prints).\n\n\
         Requirements name the rules that are about them ([coverage.md](coverage.md)), and are shown as not met when one of those is broken.\n\n\
         A rule that is known to be broken can be listed with `--deviations` like a case: `{rule: mex-from, reason: …, reference: …, owner: …, expires: 2027-03-31}`. It is shown and not counted; when it holds again, when no rule of that name was applied, or when the date is over, the run fails.\n",
    );
    for Rule { id, title, severity, source, remedy, nothing, .. } in RULES {
        page.push_str(&format!(
            "\n## {id}\n\n{title}.\n\n- {}\n- source: {source}\n- to mend: {remedy}\n- not applicable when: {nothing}\n",
            severity.word()
        ));
    }
    page + JSON
}

/// What the answer for programs is made of (`cli::judge::json`, `report::JudgedRule`).
const JSON: &str = "
## What judge --format json prints

One object. Every text in it is printable and without secrets; a number of an exchange is the line of a tape, the number in `report.html`
of a bundle, the place from 1 in another HAR.

| field | what is in it |
|---|---|
| `tool` | name and version of this program |
| `source.kind`, `source.path` | `tape`, `har` or `bundle`, and its path as given |
| `source.recorded_by` | the program that recorded it |
| `source.exchanges` | how many there are |
| `source.numbers_are` | what a number is the number of: `line` or `exchange` |
| `source.from`, `source.to` | when the first began and the last ended, UTC; `null` when there is none |
| `source.notes` | what a reader must know, such as entries that were left out |
| `mailbox` | the mailbox of `--mailbox`, else `null` |
| `verdict` | `failed` when a MUST is broken (exit code 1), else `passed` (0) |
| `rules` | each rule, in the order of this page |

| field of a rule | what is in it |
|---|---|
| `id`, `title`, `severity`, `source`, `remedy` | as on this page |
| `verdict` | `held`, `broken`, `warning` or `not_applicable` |
| `looked_at` | at how many things it looked; `null` unless it held |
| `reason` | why it is not applicable, else `null` |
| `not_judged` | what it passed over: `reason`, and `count` of it |
| `findings_in_all` | how many findings there are |
| `findings` | the first 1000 of them, worst first |

| field of a finding | what is in it |
|---|---|
| `grade` | `broken` or `warning` |
| `at` | when, UTC |
| `mailbox`, `message` | whose, and of which message; `null` where there is none |
| `exchanges` | the numbers of the exchanges that show it |
| `what`, `expected`, `seen` | what is wrong, for people |
| `remedy` | how to mend it, where that differs from the rule's `remedy`, else `null` |

What cannot be judged (exit code 2) prints nothing here, and why on the standard error.
";
