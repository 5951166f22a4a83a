//! Working off an inbox of more than a page: each judgement both ways.

use std::collections::BTreeMap;

use super::*;

fn id(number: usize) -> String {
    format!("2026112112000{number:07}_ABCDEF")
}

/// A look at the inbox that lists these.
fn lists(numbers: std::ops::Range<usize>) -> Exchange {
    let ids: Vec<String> = numbers.map(|number| format!("\"{}\"", id(number))).collect();
    exchange("GET /messageexchange/A/inbox", 200, &format!("{{\"messages\":[{}]}}", ids.join(",")))
}

fn payload(number: usize) -> Vec<u8> {
    format!("payload {number}").into_bytes()
}

fn downloads(number: usize) -> Exchange {
    let mut download = exchange(&format!("GET /messageexchange/A/inbox/{}", id(number)), 200, "");
    download.response.as_mut().unwrap().body = body(&payload(number), false);
    download
}

fn acknowledges(number: usize) -> Exchange {
    exchange(&format!("PUT /messageexchange/A/inbox/{}/status/acknowledged", id(number)), 200, "")
}

fn takes(numbers: std::ops::Range<usize>) -> Vec<Exchange> {
    numbers.flat_map(|number| [downloads(number), acknowledges(number)]).collect()
}

fn of_counterpart(exchange: Exchange) -> Exchange {
    Exchange { actor: Actor::Counterpart, ..exchange }
}

/// Looks, each with what it lists and what is taken after it.
fn pages(pages: &[(std::ops::Range<usize>, std::ops::Range<usize>)]) -> Vec<Exchange> {
    let page = |(listed, taken): &(std::ops::Range<usize>, std::ops::Range<usize>)| {
        std::iter::once(lists(listed.clone())).chain(takes(taken.clone())).collect::<Vec<_>>()
    };
    pages.iter().flat_map(page).collect()
}

fn worked_off(all: Vec<Exchange>) -> Result<Vec<usize>, Fault> {
    worked_off_in_pages(600, &tape(all)).map(|worked_off| worked_off.downloads)
}

#[test]
fn a_full_page_is_worked_off_and_then_the_rest() {
    assert_eq!(worked_off(pages(&[(0..500, 0..500), (500..600, 500..600)])), Ok(vec![500, 100]));
    let looked_in_vain =
        [pages(&[(0..400, 0..0)]), pages(&[(0..500, 0..500), (500..600, 500..600), (0..0, 0..0)])];
    assert_eq!(
        worked_off(looked_in_vain.concat()),
        Ok(vec![500, 100]),
        "looks after which nothing was taken"
    );
    let smaller = pages(&[(0..500, 0..300), (300..600, 300..600)]);
    assert_eq!(worked_off(smaller), Ok(vec![300, 300]), "a product may look again before a page is done");
}

#[test]
fn a_product_may_go_through_all_pages_before_it_takes_anything() {
    let all = pages(&[(0..500, 0..0), (500..600, 0..600), (0..0, 0..0)]);
    let worked_off = worked_off_in_pages(600, &tape(all)).unwrap();
    let expected = WorkedOff { most: 500, downloads: vec![600], unfinished: 1, pages: 2, shows_paging: true };
    assert_eq!((&worked_off, worked_off.page_after_page()), (&expected, Ok(())));
}

#[test]
fn an_inbox_that_was_not_worked_off_is_held_against_the_product() {
    for all in [
        pages(&[(0..500, 0..500)]),
        pages(&[(0..500, 0..500), (500..600, 500..599)]),
        pages(&[(0..500, 0..500), (500..600, 0..0)]),
        vec![],
    ] {
        let fault = worked_off(all).unwrap_err();
        assert_eq!(
            (fault.kind, fault.what.as_str()),
            (FaultKind::Product, "the inbox was not worked off to its end")
        );
        assert_eq!(fault.expected.as_deref(), Some("500 messages first, then the other 100"));
    }
    let mut helped = pages(&[(0..500, 0..500)]);
    helped.push(of_counterpart(lists(500..600)));
    helped.extend(takes(500..600).into_iter().map(of_counterpart));
    assert_eq!(kind(worked_off(helped)), FaultKind::Product, "what the counterpart took does not count");
}

#[test]
fn pages_that_are_not_full_are_not_the_products_fault() {
    for all in [
        pages(&[(0..300, 0..300), (300..600, 300..600)]),
        pages(&[(0..499, 0..499), (499..600, 499..600)]),
        pages(&[(0..600, 0..600)]),
    ] {
        let fault = worked_off(all).unwrap_err();
        assert_eq!(
            (fault.kind, fault.what.as_str()),
            (FaultKind::Endpoint, "the inbox was not listed in full pages")
        );
    }
}

#[test]
fn a_page_is_as_long_as_the_product_asked_for() {
    let with = |most: usize, all: Vec<Exchange>| {
        let asks = |mut exchange: Exchange| {
            if matches!(exchange.operation, Some(Operation::CheckInbox(_))) {
                exchange.request.head.target += &format!("?max_results={most}");
            }
            exchange
        };
        worked_off_in_pages(600, &tape(all.into_iter().map(asks).collect()))
    };
    let two = || pages(&[(0..300, 0..300), (300..600, 300..600)]);
    let in_order = |most, downloads: Vec<usize>, shows_paging| {
        let pages = downloads.len();
        Ok(WorkedOff { most, downloads, unfinished: 0, pages, shows_paging })
    };
    assert_eq!(with(300, two()), in_order(300, vec![300, 300], true));
    let one = || pages(&[(0..600, 0..600)]);
    assert_eq!(with(5000, one()), in_order(5000, vec![600], false));
    // To look away once more shows nothing of pages, whether all had arrived by then or not.
    for looked_in_vain in [0..600, 0..100] {
        let all = [pages(&[(looked_in_vain, 0..0)]), one()].concat();
        assert!(!with(5000, all).unwrap().shows_paging);
    }
    let fault = with(400, two()).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Endpoint, "less than it asked for");
    assert_eq!(fault.expected.as_deref(), Some("400 messages first, then the other 200"));
}

#[test]
fn to_look_away_from_one_page_is_nothing_and_from_each_is_a_warning() {
    let worked_off = |all| worked_off_in_pages(600, &tape(all)).unwrap();
    let once = worked_off(pages(&[(0..500, 0..300), (300..600, 300..600)]));
    assert_eq!((once.unfinished, once.page_after_page()), (1, Ok(())));
    let each = (0..600).map(|number| (number..600.min(number + 500), number..number + 1));
    let each = worked_off(pages(&each.collect::<Vec<_>>()));
    let fault = each.page_after_page().unwrap_err();
    assert_eq!(fault.kind, FaultKind::Product);
    assert_eq!(fault.seen.as_deref(), Some("599 of 600 pages left unfinished"));
    // Somebody else's message, 1000, stays on each page.
    let mut beside = pages(&[(0..500, 0..500), (500..600, 500..550), (550..600, 550..600)]);
    for look in beside.iter_mut().filter(|call| matches!(call.operation, Some(Operation::CheckInbox(_)))) {
        let page = look.response.as_mut().unwrap();
        let text = String::from_utf8(page.body.kept.clone().unwrap().to_vec()).unwrap();
        page.body = body(text.replacen(']', &format!(",\"{}\"]", id(1000)), 1).as_bytes(), false);
    }
    assert_eq!(worked_off(beside).unfinished, 1, "what nobody takes was not looked away from");
}

#[test]
fn what_was_taken_before_the_first_look_counts_for_no_page() {
    let all = [takes(0..100), pages(&[(0..500, 100..600), (0..0, 0..0)])].concat();
    let fault = worked_off(all).unwrap_err();
    assert_eq!(fault.seen.as_deref(), Some("500 listed, 500 downloaded"));
}

#[test]
fn a_look_that_failed_is_said() {
    let failed = exchange("GET /messageexchange/A/inbox", 500, "");
    assert_eq!(kind(worked_off(vec![failed])), FaultKind::Endpoint);
}

/// Of three messages that were sent.
fn collected(all: Vec<Exchange>) -> Result<(), Fault> {
    let sent: BTreeMap<String, Sha256> =
        (0..3).map(|number| (id(number), Sha256::of(&payload(number)))).collect();
    each_collected_once(&sent, &tape(all))
}

#[test]
fn each_message_is_downloaded_and_acknowledged_in_the_next_call() {
    assert_eq!(collected(takes(0..3)), Ok(()));
    assert_eq!(
        collected(pages(&[(0..3, 0..2), (2..3, 2..3)])),
        Ok(()),
        "looks in between make no difference"
    );
    assert_eq!(collected(takes(0..5)), Ok(()), "nor does what others have sent");
    let beside = vec![downloads(0), of_counterpart(lists(0..1)), acknowledges(0)];
    assert_eq!(collected([beside, takes(1..3)].concat()), Ok(()), "nor does what the counterpart does");
}

#[test]
fn what_was_not_downloaded_is_counted() {
    for (taken, what) in
        [(0..2, "1 of 3 messages were not downloaded"), (0..0, "3 of 3 messages were not downloaded")]
    {
        let fault = collected(takes(taken)).unwrap_err();
        assert_eq!((fault.kind, fault.what.as_str()), (FaultKind::Product, what));
    }
}

#[test]
fn a_message_that_is_downloaded_again_is_named() {
    let fault = collected([takes(0..3), takes(1..2)].concat()).unwrap_err();
    assert_eq!(
        (fault.kind, fault.what),
        (FaultKind::Product, format!("message {} was downloaded more than once", id(1)))
    );
}

#[test]
fn a_payload_that_is_another_is_the_endpoints_fault() {
    let mut altered = downloads(1);
    altered.response.as_mut().unwrap().body = body(b"payload 9", false);
    let all = [takes(0..1), vec![altered, acknowledges(1)], takes(2..3)].concat();
    let fault = collected(all).unwrap_err();
    assert_eq!(
        (fault.kind, fault.what),
        (FaultKind::Endpoint, format!("message {} is not what was sent", id(1)))
    );
}

#[test]
fn a_download_must_be_directly_followed_by_its_acknowledgement() {
    for after in [
        vec![lists(0..0), acknowledges(1)],
        vec![acknowledges(0)],
        vec![of_counterpart(acknowledges(1))],
        vec![],
    ] {
        let all = [takes(0..1), takes(2..3), vec![downloads(1)], after].concat();
        let fault = collected(all).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Product);
        assert!(fault.what.contains("is not directly followed by its acknowledgement"), "{}", fault.what);
    }
}

#[test]
fn a_download_or_an_acknowledgement_that_was_refused_is_said() {
    let refused = |exchange: Exchange, status| {
        let mut refused = exchange;
        refused.response.as_mut().unwrap().head.status = status;
        refused
    };
    let fault = collected(vec![refused(downloads(0), 404)]).unwrap_err();
    assert_eq!(fault.expected.as_deref(), Some("200"));
    let all = [vec![downloads(0), refused(acknowledges(0), 404)], takes(1..3)].concat();
    assert_eq!(collected(all).unwrap_err().source.as_deref(), Some("OpenAPI: Acknowledge message"));
}
