//! What went over the wire: first lines, headers, bodies; bounded, so that the page stays readable.

use super::{Fact, MAX_TEXT};
use crate::{
    report::{curl, text},
    tape::{BodyRecord, Decoded, Exchange, Header, RequestRecord, ResponseRecord},
};

/// How much of a body's text is shown, in bytes.
const MAX_BODY: usize = 16 * 1024;
/// A body's text that is longer than this is folded away, in bytes.
const FOLDED_FROM: usize = 1024;
/// How many headers are shown.
const MAX_HEADERS: usize = 100;
/// How much of a header's name is shown, in bytes.
const MAX_NAME: usize = 128;

/// A request or a response.
pub(super) struct Message {
    pub(super) line: String,
    pub(super) head_size: String,
    /// There was no more room on the page.
    pub(super) omitted: bool,
    pub(super) headers: Vec<HeaderRow>,
    pub(super) header_count: usize,
    pub(super) more_headers: usize,
    pub(super) body: Body,
}

/// A header.
pub(super) struct HeaderRow {
    pub(super) name: String,
    pub(super) value: String,
    /// Size of the value, when only its beginning is shown.
    pub(super) size: Option<String>,
}

/// A body.
pub(super) struct Body {
    pub(super) facts: Vec<Fact>,
    pub(super) text: Option<String>,
    pub(super) folded: bool,
    /// How much is left off.
    pub(super) more: Option<String>,
    pub(super) note: Option<&'static str>,
}

/// How much of the wire one page shows before it stops to be readable.
pub(super) struct Budget {
    left: usize,
}

impl Budget {
    /// In bytes before escaping: a browser opens several times as much without trouble.
    const WHOLE: usize = 8 * 1024 * 1024;

    /// All of it.
    pub(super) fn new() -> Self {
        Self { left: Self::WHOLE }
    }

    /// The command line, as long as there is room for it.
    pub(super) fn curl(&mut self, exchange: &Exchange) -> Option<String> {
        let line = if self.is_spent() { None } else { curl::command(exchange) };
        self.spend(line.as_ref().map_or(0, String::len));
        line
    }

    fn is_spent(&self) -> bool {
        self.left == 0
    }

    fn spend(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes);
    }
}

impl Message {
    /// What to show of a request.
    pub(super) fn request(of: &RequestRecord, budget: &mut Budget) -> Self {
        Self::of(&of.head.line(), of.head.size, &of.head.headers, &of.body, budget)
    }

    /// What to show of a response.
    pub(super) fn response(of: &ResponseRecord, budget: &mut Budget) -> Self {
        Self::of(&of.head.line(), of.head.size, &of.head.headers, &of.body, budget)
    }

    fn of(line: &str, size: usize, headers: &[Header], body: &BodyRecord, budget: &mut Budget) -> Self {
        let omitted = budget.is_spent();
        let shown: Vec<HeaderRow> =
            headers.iter().take(if omitted { 0 } else { MAX_HEADERS }).map(HeaderRow::of).collect();
        let body = Body::of(body, omitted);
        let spent: usize = shown.iter().map(|row| row.name.len() + row.value.len()).sum();
        budget.spend(spent + body.text.as_ref().map_or(0, String::len) + MAX_NAME);
        Self {
            line: super::brief(line),
            head_size: text::bytes(size as u64),
            omitted,
            header_count: headers.len(),
            more_headers: headers.len() - shown.len(),
            headers: shown,
            body,
        }
    }
}

impl HeaderRow {
    fn of(Header { name, value }: &Header) -> Self {
        let (shown, more) = text::clip(value, MAX_TEXT);
        let (name, name_more) = text::clip(name, MAX_NAME);
        Self {
            name: format!("{}{}", text::line(name), if name_more > 0 { "…" } else { "" }),
            value: format!("{}{}", text::line(shown), if more > 0 { "…" } else { "" }),
            size: (more > 0).then(|| text::bytes(value.len() as u64)),
        }
    }
}

impl Body {
    fn of(body: &BodyRecord, omitted: bool) -> Self {
        let whole = if omitted { None } else { body.text() };
        let (shown, more) = whole.as_deref().map_or(("", 0), |whole| text::clip(whole, MAX_BODY));
        Self {
            facts: body_facts(body),
            folded: shown.len() > FOLDED_FROM,
            more: (more > 0).then(|| text::bytes(more as u64)),
            note: note(body, omitted),
            text: whole.is_some().then(|| shown.to_owned()),
        }
    }
}

fn body_facts(body: &BodyRecord) -> Vec<Fact> {
    if body.size == 0 {
        return vec![];
    }
    let mut facts = vec![
        Fact { name: "Size", value: text::bytes(body.size), code: false },
        Fact { name: "SHA-256", value: body.sha256.to_string(), code: true },
    ];
    if let Some(Decoded::Whole { size, sha256 }) = &body.decoded {
        facts.push(Fact { name: "Size, decoded", value: text::bytes(*size), code: false });
        facts.push(Fact { name: "SHA-256, decoded", value: sha256.to_string(), code: true });
    }
    facts
}

/// Why there is no text, or what it is the text of.
fn note(body: &BodyRecord, omitted: bool) -> Option<&'static str> {
    match (&body.decoded, &body.kept) {
        _ if body.size == 0 => Some("No body."),
        (Some(Decoded::Broken), _) if body.is_begun_gzip() => {
            Some("It says that it is gzip, begins so, and breaks off.")
        }
        (Some(Decoded::Broken), _) => Some("It says that it is gzip, and is not, or breaks off."),
        _ if omitted => None,
        (_, None) => Some("Too large to be kept: only its size and digest were."),
        _ if body.text().is_none() => Some(match body.seen_as_gzip {
            None => "Binary: not shown.",
            Some(Decoded::Whole { .. }) => "It is gzip, and does not say so: not shown.",
            Some(Decoded::Broken) => "It begins as gzip does, does not say so, and breaks off: not shown.",
        }),
        (Some(Decoded::Whole { .. }), _) => Some("It was compressed with gzip; shown decoded."),
        (None, Some(_)) => None,
    }
}
