//! All rules at once.

use std::{collections::BTreeSet, sync::Arc};

use proptest::prelude::*;

use super::*;
use crate::{
    protocol::MailboxId,
    tape::{Actor, Exchange},
};

/// A good day: handshake, poll cycle, send, report.
fn good_day(mailbox: &'static str) -> Log {
    let mut log = Log::new();
    log.mailbox = mailbox;
    log.handshake().list(&[ID, OTHER]).get(ID).ack(ID).get_report(OTHER).ack(OTHER).wait(300);
    log.list(&[]).wait(300).send(&[("Mex-LocalID", "a-1")], b"x").list(&[]).wait(600).list(&[]);
    log
}

#[test]
fn a_good_day_has_no_finding() {
    for result in judge(&good_day("X26ABC1").tape(), &Context::default()) {
        assert!(matches!(result.verdict, Verdict::Held { .. } | Verdict::NotApplicable { .. }), "{result:?}");
    }
}

#[test]
fn every_rule_has_what_a_person_needs_and_an_id_of_its_own() {
    let ids: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(ids.len(), RULES.len());
    for rule in RULES {
        let all = [rule.id, rule.title, rule.source, rule.remedy, rule.nothing];
        assert!(all.iter().all(|text| !text.is_empty()), "{rule:?}");
        assert!(rule.remedy.ends_with('.') && !rule.title.ends_with('.'), "{rule:?}");
    }
}

#[test]
fn without_exchanges_nothing_holds() {
    let results = judge(&[], &Context::default());
    assert_eq!(results.len(), RULES.len());
    assert!(results.iter().all(|result| matches!(result.verdict, Verdict::NotApplicable { .. })));
}

#[test]
fn the_page_of_the_rules_is_that_of_the_table() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rules.md");
    if std::env::var_os("UPDATE_RULES").is_some() {
        std::fs::write(page, markdown()).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(page).unwrap(),
        markdown(),
        "write it anew: UPDATE_RULES=1 cargo test the_page_of"
    );
}

#[test]
fn only_those_are_judged_who_are_asked_for() {
    let mut log = good_day("X26ABC1");
    let mut other = Log::new();
    other.mailbox = "X26ABC2";
    other.call_with("nonsense", "GET /inbox", &[], b"");
    log.exchanges.extend(other.exchanges);
    let form = |context: &Context| {
        let results = judge(&log.tape(), context);
        results.into_iter().find(|result| result.rule.id == "token-form").unwrap().verdict
    };
    assert!(matches!(form(&Context::default()), Verdict::Broken { .. }));
    let only = |id| Context { mailbox: Some(MailboxId::parse(id).unwrap()), ..Context::default() };
    assert!(matches!(form(&only("X26ABC1")), Verdict::Held { .. }));
    assert!(matches!(form(&only("X26ABC9")), Verdict::NotApplicable { .. }));
    log.exchanges.last_mut().unwrap().actor = Actor::Counterpart;
    let form = |context: &Context| {
        let results = judge(&log.tape(), context);
        results.into_iter().find(|result| result.rule.id == "token-form").unwrap().verdict
    };
    assert!(matches!(form(&Context::default()), Verdict::Held { .. }));
    assert!(matches!(
        form(&Context { actor: Some(Actor::Counterpart), ..Context::default() }),
        Verdict::Broken { .. }
    ));
}

#[test]
fn what_is_only_recommended_is_never_broken() {
    let rule: &'static Rule = Box::leak(Box::new(Rule {
        severity: Severity::Should,
        examine: |traffic| {
            let mut examined = Examined::default();
            traffic.calls.iter().for_each(|call| examined.find(Finding::about(&[call], Grade::Broken, "x")));
            examined
        },
        ..*RULES.first().unwrap()
    }));
    let tape = good_day("X26ABC1").tape();
    let numbered: Vec<_> = tape.into_iter().enumerate().collect();
    let traffic = Traffic::new(&numbered, &Context::default());
    assert!(matches!(judging::result(rule, &traffic).verdict, Verdict::Warned { .. }));
}

/// What a rule says, without the numbers, which come from the order.
fn said(results: Vec<RuleResult>) -> Vec<String> {
    let strip = |findings: Vec<Finding>| {
        let findings = findings.into_iter().map(|finding| Finding { exchanges: vec![], ..finding });
        let mut all: Vec<String> = findings
            .map(|finding| {
                let numberless = finding.seen.split(' ').filter(|word| word.parse::<usize>().is_err());
                format!(
                    "{:?} {} {:?} {:?}",
                    finding.grade,
                    finding.what,
                    finding.mailbox,
                    numberless.collect::<Vec<_>>()
                )
            })
            .collect();
        all.sort();
        all
    };
    let one = |result: RuleResult| match result.verdict {
        Verdict::Broken { findings } => format!("{} broken {:?}", result.rule.id, strip(findings)),
        Verdict::Warned { findings } => format!("{} warned {:?}", result.rule.id, strip(findings)),
        other => format!("{} {other:?} {:?}", result.rule.id, result.unjudged.len()),
    };
    results.into_iter().map(one).collect()
}

/// A day that may be bad: each call as the numbers say.
fn any_day(mailbox: &'static str, calls: &[(u8, u8)]) -> Vec<Exchange> {
    let mut log = Log::new();
    log.mailbox = mailbox;
    for (call, wait) in calls {
        match call % 12 {
            0 => log.handshake(),
            1 => log.list(&[ID]),
            2 => log.get(ID),
            3 => log.ack(ID),
            4 => log.send(&[("Mex-LocalID", "9434765919")], b"x"),
            5 => log.send_chunk(1, "1:3", &zipped(b"x")),
            6 => log.send_chunk(2, "2:3", b"x"),
            7 => log.get_chunk(ID, 1, 2),
            8 => log.list(&[]).reply(403, &[], b""),
            9 => log.get_report(OTHER),
            10 => log.list_with_next(&[ID], "/x?continue_from=abc").unanswered(),
            _ => log.call("GET /outbox/tracking?messageID=A", &[], b""),
        };
        log.wait(i64::from(*wait % 4) * 100 - 1);
    }
    log.exchanges
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn how_several_mailboxes_interleave_plays_no_part(
        one in proptest::collection::vec(any::<(u8, u8)>(), 0..25),
        two in proptest::collection::vec(any::<(u8, u8)>(), 0..25),
        picks in proptest::collection::vec(any::<bool>(), 50),
    ) {
        let (one, two) = (any_day("X26ABC1", &one), any_day("X26ABC2", &two));
        let apart: Vec<Arc<Exchange>> = one.iter().chain(&two).cloned().map(Arc::new).collect();
        let (mut one, mut two) = (one.into_iter(), two.into_iter());
        let mut mixed: Vec<Arc<Exchange>> = Vec::new();
        for pick in picks {
            let next = if pick { one.next().or_else(|| two.next()) } else { two.next().or_else(|| one.next()) };
            mixed.extend(next.map(Arc::new));
        }
        prop_assert_eq!(apart.len(), mixed.len());
        let context = Context::default();
        prop_assert_eq!(said(judge(&apart, &context)), said(judge(&mixed, &context)));
    }
}
