//! Compression of what is sent: of each body by itself, and of the chunks of a message.

use std::collections::BTreeSet;

use super::{Call, Examined, Finding, Grade, Traffic, chunks::messages};
use crate::tape::{Decoded, Vantage};

const NOT_SHOWN: &str =
    "the recording has bodies decompressed, or not at all: whether each was gzip cannot be told";
const CUT: &str = "a body was broken off: whether it was gzip cannot be told";

/// What a send says of its encoding, `identity` where it says nothing.
fn encoding(call: &Call) -> String {
    let said = call.header("content-encoding").unwrap_or_default().trim().to_ascii_lowercase();
    if said.is_empty() { "identity".to_owned() } else { said }
}

fn is_gzip(call: &Call) -> bool {
    encoding(call) == "gzip"
}

/// Whether its request may have ended before its body did: nobody has answered, or it is shorter than it says.
fn is_cut(call: &Call) -> bool {
    let said = call.header("content-length").and_then(|length| length.trim().parse::<u64>().ok());
    call.status().is_none() || said.is_some_and(|said| call.exchange.request.body.size < said)
}

fn flag(call: &Call) -> &str {
    call.header("mex-content-compressed").unwrap_or_default().trim()
}

/// What is declared as gzip is gzip, and nothing else is declared.
pub(super) fn declared(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    let split = parts_of_split(traffic);
    for call in traffic.calls.iter().filter(|call| call.uploads()) {
        if let Some(why) = call.lacks("content-encoding") {
            examined.pass_over(why);
            continue;
        }
        match encoding(call).as_str() {
            "identity" => examined.look(),
            "gzip" => {
                if split.contains(&call.number) {
                    examined.pass_over("a gzip was split into chunks: chunk-encoding says so");
                } else {
                    body_is_gzip(call, &mut examined);
                }
                is_flagged(call, &mut examined);
            }
            _ => {
                examined.look();
                let what = "a send has a content encoding that MESH does not know";
                examined.find(
                    Finding::about(&[call], Grade::Broken, what)
                        .expected("gzip, or none")
                        .seen("another encoding"),
                );
            }
        }
    }
    examined
}

fn body_is_gzip(call: &Call, examined: &mut Examined) {
    let body = &call.exchange.request.body;
    if body.decoded.is_none() && call.exchange.vantage == Vantage::Foreign {
        return examined.pass_over(NOT_SHOWN);
    }
    if matches!(body.decoded, Some(Decoded::Whole { .. })) {
        return examined.look();
    }
    if is_cut(call) {
        return examined.pass_over(CUT);
    }
    examined.look();
    let what = match call.sent_range().is_some_and(|range| range.total().get() > 1) {
        true => "a chunk that is declared as gzip is not gzip by itself",
        false => "a body that is declared as gzip is not gzip",
    };
    examined.find(
        Finding::about(&[call], Grade::Broken, what)
            .expected("a whole gzip body")
            .seen("a body that cannot be decompressed"),
    );
}

fn is_flagged(call: &Call, examined: &mut Examined) {
    let flag = flag(call);
    if !call.is_send() || flag.eq_ignore_ascii_case("Y") {
        return;
    }
    examined.find(
        Finding::about(&[call], Grade::Warning, "a compressed send does not flag its content as compressed")
            .expected("Mex-Content-Compressed: Y")
            .seen(if flag.is_empty() { "none" } else { "another value" })
            .remedy("Send Mex-Content-Compressed: Y with Content-Encoding: gzip: the assurance pack lists both (case 202)."),
    );
}

/// The first chunk of several begins as gzip does, and has no end.
fn is_split(call: &Call) -> bool {
    let begins = call.is_send() && call.sent_range().is_some_and(|range| !range.is_last());
    begins && call.exchange.request.body.is_begun_gzip() && !is_cut(call)
}

/// Numbers of the calls that sent parts of one gzip.
fn parts_of_split(traffic: &Traffic) -> BTreeSet<usize> {
    let alone = traffic.calls.iter().filter(|call| is_split(call)).map(|call| call.number);
    let whole =
        messages(traffic).into_values().filter(|calls| calls.first().is_some_and(|call| is_split(call)));
    alone.chain(whole.flatten().map(|call| call.number)).collect()
}

/// A message in chunks is split before it is compressed, each chunk in the same way, and each says so.
pub(super) fn alike(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    for call in traffic.calls.iter().filter(|call| is_split(call) && call.lacks("content-encoding").is_none())
    {
        is_not_split(call, &mut examined);
    }
    for calls in messages(traffic).into_values() {
        if let Some(why) = calls.iter().find_map(|call| call.lacks("content-encoding")) {
            examined.pass_over(why);
            continue;
        }
        let Some((first, rest)) = calls.split_first().filter(|_| calls.iter().any(|call| is_gzip(call)))
        else {
            continue;
        };
        if !first.is_send() {
            examined.pass_over("the first chunk of the message is not in the recording");
        } else if !is_split(first) {
            examined.look();
            rest.iter().for_each(|call| is_as_first(first, call, &mut examined));
        }
    }
    examined
}

/// A file that is gzip may be sent in chunks as it is: only what says that it was compressed for the way is judged.
fn is_not_split(call: &Call, examined: &mut Examined) {
    let says_so = flag(call).eq_ignore_ascii_case("Y");
    let grade = match (is_gzip(call), says_so) {
        (true, _) => Grade::Broken,
        (false, true) => Grade::Warning,
        (false, false) => return,
    };
    examined.look();
    examined.find(
        Finding::about(&[call], grade, "a message was compressed as a whole and then split")
            .expected("chunks of which each is a gzip by itself")
            .seen("a first chunk that begins a gzip and does not end it"),
    );
}

/// A later chunk is encoded as the first, and says so. That it says nothing is as in the OpenAPI's own example.
fn is_as_first(first: &Call, call: &Call, examined: &mut Examined) {
    let told = |of: &Call| if is_gzip(of) { "gzip" } else { "none" };
    if told(first) == told(call) {
        return;
    }
    let body = &call.exchange.request.body;
    let silent = call.header("content-encoding").is_none_or(|encoding| encoding.trim().is_empty());
    let may_be_gzip =
        !call.has_body() || matches!(body.seen_as_gzip, Some(Decoded::Whole { .. })) || is_cut(call);
    if is_gzip(first) && silent && may_be_gzip {
        return examined.find(
            Finding::about(&[first, call], Grade::Warning, "a chunk does not declare the encoding of the first")
                .expected("Content-Encoding: gzip on every chunk")
                .seen("none")
                .remedy("Repeat Content-Encoding on every chunk: the example in the OpenAPI leaves it out, and endpoints have refused that with 417."),
        );
    }
    examined.find(
        Finding::about(
            &[first, call],
            Grade::Broken,
            "chunks of one message are compressed, and others are not",
        )
        .expected(format!("Content-Encoding of chunk 1: {}", told(first)))
        .seen(format!("of chunk {}: {}", call.chunk(), told(call)))
        .remedy("Compress every chunk of a message, each by itself, or none."),
    );
}
