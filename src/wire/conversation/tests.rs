use std::time::Instant;

use proptest::prelude::*;

use super::{Conversation, Direction, Draft, Moment, Verdict};
use crate::tape::Redactor;

#[derive(Default)]
struct Wire {
    conversation: Conversation,
    finished: Vec<Draft>,
}

impl Wire {
    fn up(&mut self, bytes: &[u8]) -> Verdict {
        self.pass(Direction::Up, bytes)
    }

    fn down(&mut self, bytes: &[u8]) -> Verdict {
        self.pass(Direction::Down, bytes)
    }

    fn pass(&mut self, direction: Direction, bytes: &[u8]) -> Verdict {
        let verdict = self.conversation.came(direction, bytes, Moment::now());
        self.finished.extend(self.conversation.passed(direction, Instant::now()));
        verdict
    }
}

/// Request line and body, status line and body.
fn shown(draft: Draft) -> String {
    let redactor = Redactor::default();
    let message = |message: Option<super::Message>| {
        message.map_or("-".to_owned(), |message| {
            let line = String::from_utf8_lossy(&message.head).lines().next().unwrap_or_default().to_owned();
            let whole = if message.is_whole { "" } else { "…" };
            let body = message.body.finish(&redactor).kept.unwrap_or_default();
            format!("{line} [{}{whole}]", String::from_utf8_lossy(&body))
        })
    };
    format!("{} {} / {}", draft.number, message(draft.request), message(draft.response))
}

fn all(wire: Wire) -> Vec<String> {
    wire.finished.into_iter().map(shown).collect()
}

#[test]
fn requests_and_responses_are_paired_in_order() {
    let mut wire = Wire::default();
    wire.up(
        b"POST /a HTTP/1.1\r\ncontent-length: 2\r\n\r\nhiGET /b HTTP/1.1\r\n\r\nHEAD /c HTTP/1.1\r\n\r\n",
    );
    wire.down(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nA\r\n0\r\n\r\nHTTP/1.1 204 No\r\nContent-Length: 9\r\n\r\n");
    assert_eq!(wire.finished.len(), 2);
    wire.down(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
    assert!(wire.conversation.is_idle());
    wire.up(b"\r\nGET /d HTTP/1.1\r\n\r\n");
    wire.down(b"HTTP/1.1 404 Gone fishing\r\nContent-Length: 1\r\n\r\nx");
    assert_eq!(
        all(wire),
        [
            "1 POST /a HTTP/1.1 [hi] / HTTP/1.1 200 OK [A]",
            "2 GET /b HTTP/1.1 [] / HTTP/1.1 204 No []",
            "3 HEAD /c HTTP/1.1 [] / HTTP/1.1 200 OK []",
            "4 GET /d HTTP/1.1 [] / HTTP/1.1 404 Gone fishing [x]",
        ]
    );
}

#[test]
fn interim_responses_are_not_the_response() {
    let mut wire = Wire::default();
    wire.up(b"POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    wire.down(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n");
    wire.up(b"hi");
    wire.down(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(wire.finished[0].interim, [100, 103]);
    assert_eq!(all(wire), ["1 POST /a HTTP/1.1 [hi] / HTTP/1.1 202 Accepted []"]);
}

#[test]
fn an_exchange_ends_with_the_later_of_its_messages() {
    let mut wire = Wire::default();
    wire.up(b"POST /a HTTP/1.1\r\nContent-Length: 4\r\n\r\nhi");
    wire.down(b"HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n");
    assert!(wire.finished.is_empty());
    wire.up(b"ho");
    assert_eq!(all(wire), ["1 POST /a HTTP/1.1 [hiho] / HTTP/1.1 417 No []"]);
}

#[test]
fn the_end_of_the_connection_ends_a_response_without_length_and_no_other() {
    let mut wire = Wire::default();
    wire.up(b"GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n");
    wire.down(b"HTTP/1.1 200 OK\r\n\r\nall of it");
    let finished = wire.conversation.down_ended();
    wire.finished.extend(finished);
    let rest = wire.conversation.over();
    wire.finished.extend(rest);
    assert_eq!(all(wire), ["1 GET /a HTTP/1.1 [] / HTTP/1.1 200 OK [all of it]", "2 GET /b HTTP/1.1 [] / -"]);
    let mut wire = Wire::default();
    wire.up(b"GET /a HTTP/1.1\r\n\r\n");
    wire.down(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab");
    assert!(wire.conversation.down_ended().is_empty());
    let rest: Vec<String> = wire.conversation.over().into_iter().map(shown).collect();
    assert_eq!(rest, ["1 GET /a HTTP/1.1 [] / HTTP/1.1 200 OK [ab…]"]);
}

#[test]
fn what_broke_off_is_kept_as_far_as_it_came() {
    let mut wire = Wire::default();
    wire.up(b"POST /a HTTP/1.1\r\nAuth");
    wire.down(b"HTTP/1.1 408 Req");
    let rest: Vec<String> = wire.conversation.over().into_iter().map(shown).collect();
    assert_eq!(rest, ["1 POST /a HTTP/1.1 […] / HTTP/1.1 408 Req […]"]);
}

#[test]
fn a_response_that_nobody_asked_for_is_kept_too_but_not_without_end() {
    let mut wire = Wire::default();
    wire.down(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(all(wire), ["1 - / HTTP/1.1 408 Request Timeout []"]);
    let mut wire = Wire::default();
    wire.up(b"POST /a HTTP/1.1\r\nContent-Length: 4\r\n\r\n");
    let mut verdict = Verdict::Relay;
    for _ in 0..=super::PIPELINE {
        verdict = wire.down(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
    assert!(matches!(verdict, Verdict::Refuse(_)));
}

#[test]
fn what_cannot_be_read_is_kept_as_one_body() {
    let mut wire = Wire::default();
    assert_eq!(
        wire.up(b"POST /a HTTP/1.1\r\nContent-Length: x\r\n\r\nabcGET /b HTTP/1.1\r\n\r\n"),
        Verdict::Relay
    );
    wire.down(b"HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n");
    let rest = wire.conversation.over();
    assert!(rest[0].request.as_ref().unwrap().unreadable.unwrap().contains("Content-Length is no number"));
    let rest: Vec<String> = rest.into_iter().map(shown).collect();
    assert_eq!(rest, ["1 POST /a HTTP/1.1 [abcGET /b HTTP/1.1\r\n\r\n…] / HTTP/1.1 400 Bad []"]);
}

/// An endpoint whose answer cannot be read may have a product that reads it all the same, and goes on.
#[test]
fn requests_after_an_answer_that_cannot_be_read_neither_wait_nor_pile_up() {
    let mut wire = Wire::default();
    wire.up(b"GET /0 HTTP/1.1\r\n\r\n");
    wire.down(b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nhi");
    for number in 1..=2 * super::PIPELINE {
        assert!(!wire.conversation.is_full());
        wire.up(format!("GET /{number} HTTP/1.1\r\n\r\n").as_bytes());
        assert_eq!(wire.down(b"HTTP/1.1 204 No\r\n\r\n"), Verdict::Relay);
    }
    assert_eq!(wire.finished.len(), 2 * super::PIPELINE);
    assert_eq!(shown(wire.finished.swap_remove(0)), "2 GET /1 HTTP/1.1 [] / -");
    let rest: Vec<String> = wire.conversation.over().into_iter().map(shown).collect();
    let [rest] = rest.as_slice() else { panic!("{rest:?}") };
    assert!(
        rest.starts_with("1 GET /0 HTTP/1.1 [] / HTTP/1.1 200 OK [hiHTTP/1.1 204 No\r\n\r\nHTTP"),
        "{rest}"
    );
}

#[test]
fn answers_after_a_request_that_cannot_be_read_neither_wait_nor_pile_up() {
    let mut wire = Wire::default();
    wire.up(b"POST /0 HTTP/1.1\r\nContent-Length: x\r\n\r\nabc");
    wire.down(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    for _ in 0..=2 * super::PIPELINE {
        wire.up(b"GET /b HTTP/1.1\r\n\r\n");
        assert_eq!(wire.down(b"HTTP/1.1 204 No\r\n\r\n"), Verdict::Relay);
    }
    assert_eq!(shown(wire.finished.swap_remove(0)), "2 - / HTTP/1.1 204 No []");
    assert_eq!(wire.finished.len(), 2 * super::PIPELINE);
    assert_eq!(wire.conversation.over().len(), 1);
}

#[test]
fn there_are_no_tunnels() {
    assert!(matches!(Wire::default().up(b"CONNECT a:1 HTTP/1.1\r\n\r\n"), Verdict::Refuse(_)));
    let mut wire = Wire::default();
    assert_eq!(wire.up(b"GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n"), Verdict::Relay);
    assert!(matches!(wire.down(b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n"), Verdict::Refuse(_)));
}

#[test]
fn a_product_that_pipelines_has_to_wait() {
    let mut wire = Wire::default();
    for _ in 0..super::PIPELINE {
        assert!(!wire.conversation.is_full());
        wire.up(b"GET / HTTP/1.1\r\n\r\n");
    }
    assert!(wire.conversation.is_full());
    wire.down(b"HTTP/1.1 204 No\r\n\r\n");
    assert!(!wire.conversation.is_full());
}

proptest! {
    /// What is read does not depend on how it is cut, whatever it is.
    #[test]
    fn cuts_make_no_difference(
        up in wire("(GET|HEAD|POST|X) /[a-z]{0,3} HTTP/1.1"),
        down in wire("HTTP/1.1 (100|101|200|204|304|500) [a-z]{0,3}"),
        cut in 1usize..40,
    ) {
        let read = |cut: usize| {
            let mut wire = Wire::default();
            let relayed = up.chunks(cut).all(|piece| wire.up(piece) == Verdict::Relay)
                && down.chunks(cut).all(|piece| wire.down(piece) == Verdict::Relay);
            let ended = wire.conversation.down_ended();
            wire.finished.extend(ended);
            let rest = wire.conversation.over();
            wire.finished.extend(rest);
            wire.finished.sort_by_key(|draft| draft.number);
            relayed.then(|| all(wire))
        };
        prop_assert_eq!(read(1 << 20), read(cut));
    }
}

/// Bytes that are often HTTP.
fn wire(line: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        line.prop_map(|line| format!("{line}\r\n")),
        Just("\r\n".to_owned()),
        Just("\n".to_owned()),
        "(Content-Length|content-length): [0-9]{1,2}\r\n",
        Just("Transfer-Encoding: chunked\r\n".to_owned()),
        "[0-9a-f]{1,2}(;x)?\r\n",
        "[ -~]{0,30}",
        Just("0\r\n\r\n".to_owned()),
    ];
    proptest::collection::vec(part, 0..14).prop_map(|parts| parts.concat().into_bytes())
}
