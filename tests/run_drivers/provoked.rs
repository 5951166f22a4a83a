//! The pack "product": a product that does as it should passes it, and each of its scenarios has been seen
//! to fail, or to warn, with a product that does not. Which quirk does so to which scenario is kept in a
//! table, for people to read.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use serde_json::Value;

use crate::{Rig, acting};

/// A quirk, and what is played with it: what it cannot touch is left out where that takes long.
const QUIRKS: [(&str, &str); 43] = [
    ("storms", "not @many and not @req-TRUST-02 and not @req-TRUST-03 and not @req-TRUST-04"),
    ("storms varies-its-query", "@req-UNAVAILABLE-01 and not @req-SEND-04 and not @slow"),
    ("calls-again-at-once", "not @many"),
    ("takes-no-for-yes", "not @many and not @slow"),
    ("takes-half-for-whole", "not @many and not @slow"),
    ("gives-up-at-a-missing-message", "@req-LOSS-01 and not @slow"),
    ("acknowledges-what-it-was-refused", "@req-LOSS-01 and not @slow"),
    ("keeps-refusals", "@req-LOSS-03"),
    ("takes-any-answer-for-the-last-chunk", "@req-LARGE-01 and not @slow"),
    ("takes-each-once", "@req-LOSS-01 and not @slow"),
    ("forgets-what-it-could-not-acknowledge", "@req-LOSS-01 and not @slow"),
    ("sends-again", "@req-SEND-04 or @req-SEND-05"),
    ("is-impatient", "@slow and not @req-UNAVAILABLE-02"),
    ("is-impatient sends-again", "@slow and @req-SEND-05"),
    ("sends-half-the-second-time", "@req-SEND-04 and not @req-TRUST-05 and not @slow"),
    ("goes-on-sending", "@req-LARGE-03 or @req-SEND-04"),
    ("knows-names-in-lower-case-only", "@req-HEADERS-01 or @req-HEADERS-02"),
    ("knows-names-by-their-beginning", "@req-HEADERS-01 or @req-HEADERS-02"),
    ("thinks-chunks-are-alike", "@optional-chunking"),
    ("compresses-then-splits", "@req-LARGE-04"),
    ("compresses-then-splits says-gzip-once", "@req-LARGE-04"),
    ("compresses-then-splits says-nothing-of-gzip", "@req-LARGE-04"),
    ("compresses-the-first-alone", "@req-LARGE-04"),
    ("compresses-the-first-alone says-gzip-once", "@req-LARGE-04"),
    ("compresses-all-but-the-first", "@req-LARGE-04"),
    ("says-gzip-once", "@req-LARGE-04"),
    ("says-nothing-of-gzip", "@req-LARGE-04"),
    ("keeps-gzip", "@req-LARGE-06"),
    ("keeps-gzip always-offers-gzip", "@optional-chunking and @req-LARGE-01"),
    ("joins-then-unpacks-the-first", "@req-LARGE-06"),
    ("never-offers-gzip", "@req-LARGE-06"),
    ("passes-over-reports", "@req-UNDELIVERED-01"),
    ("takes-the-first-page-only", "@req-POLL-02"),
    ("always-fails", "@req-UNAVAILABLE-01 and not @slow"),
    ("trusts-anybody", "@req-TRUST-05"),
    ("passes-over-authorities", "@req-TRUST-05"),
    ("passes-over-names", "@req-TRUST-05"),
    ("passes-over-times", "@req-TRUST-05"),
    ("passes-over-purposes", "@req-TRUST-05"),
    ("falls-back-to-plain-http", "@req-TRUST-01"),
    ("stays-away", "@req-TRUST-01"),
    ("follows-redirects", "@req-REDIRECT-01"),
    ("follows-with-its-token", "@req-REDIRECT-01"),
];

/// Each scenario that did not pass, with its outcome and what is said.
fn played(quirks: &str, tags: &str) -> BTreeMap<String, (String, String)> {
    let rig = Rig::empty();
    let words: Vec<&str> = quirks.split_whitespace().collect();
    let outcome = rig.play(&acting::driver(&words), &["--pack", "product", "--tags", tags]);
    assert!(matches!(outcome.code, Some(0 | 1)), "{quirks}: {outcome:?}");
    let summary = rig.read().summary();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let scenario =
        |case: &Value| (text(&case["name"]), (text(&case["outcome"]), text(&case["fault"]["what"])));
    summary["cases"].as_array().unwrap().iter().map(scenario).collect()
}

#[test]
fn a_product_that_does_as_it_should_passes_it() {
    let played = played("", "not @nothing");
    assert!(played.len() >= 48, "{}", played.len());
    for (name, (outcome, said)) in played {
        assert_eq!(outcome, "passed", "{name}: {said}");
    }
}

/// Nobody says how a product must go on, so each of these does as it should.
#[test]
fn a_product_may_go_on_in_its_own_way() {
    for (quirk, tags) in [
        ("goes-on-where-it-stopped", "@optional-chunking and @req-SEND-04"),
        ("begins-anew", "@optional-chunking and @req-SEND-04"),
        ("tracks-what-was-not-answered", "@req-SEND-05 and not @slow"),
        ("looks-at-headers-first", "@req-LOSS-03"),
        ("joins-then-unpacks", "@optional-chunking and not @req-SEND-04"),
        ("always-offers-gzip", "@optional-chunking and not @req-SEND-04"),
    ] {
        for (name, (outcome, said)) in played(quirk, tags) {
            assert_eq!(outcome, "passed", "{quirk}: {name}: {said}");
        }
    }
}

#[test]
fn each_scenario_has_been_seen_to_fail_or_to_warn() {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while let Some((quirk, tags)) = QUIRKS.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let played = played(quirk, tags);
                    done.lock().unwrap().insert(*quirk, played);
                }
            });
        }
    });
    let done = done.into_inner().unwrap();
    let (mut table, mut seen, mut all) = (String::new(), BTreeSet::new(), BTreeSet::new());
    for (quirk, tags) in QUIRKS {
        writeln!(table, "{quirk} (played: {tags})").unwrap();
        let bad = done[quirk].iter().filter(|(_, (outcome, _))| outcome != "passed");
        assert!(bad.clone().next().is_some(), "no scenario notices {quirk}");
        for (name, (outcome, said)) in bad {
            assert!(matches!(outcome.as_str(), "failed" | "warning"), "{quirk}: {name}: {outcome}: {said}");
            writeln!(table, "    {outcome}: {name}: {}", without_ids(said)).unwrap();
            seen.insert(name.clone());
        }
        all.extend(done[quirk].keys().cloned());
    }
    let never: Vec<&String> = all.difference(&seen).collect();
    assert!(never.is_empty(), "no quirk makes these scenarios fail or warn: {never:#?}");
    assert!(all.len() >= 48);
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("provoked", table);
    });
}

/// Message IDs differ from run to run.
fn without_ids(said: &str) -> String {
    let word = |word: &str| {
        let is_id = word.len() > 20 && word.chars().take(20).all(|c| c.is_ascii_digit());
        if is_id { "…".to_owned() } else { word.to_owned() }
    };
    said.split(' ').map(word).collect::<Vec<_>>().join(" ")
}
