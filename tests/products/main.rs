//! Deliberately wrong little products, each with one defect, played through the witness pack: the rule that
//! names the defect catches it, and no other rule says anything. A right product has no finding.

#[path = "../support/acting.rs"]
mod acting;
mod defects;
mod product;
#[path = "../support/mod.rs"]
mod support;
mod token;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use defects::{DEFECTS, Defect, Expected};
use mesh_witness::rules::traffic::RULES;
use serde_json::Value;
use support::{Bundle, Outcome, witness};
use tempfile::TempDir;

/// How many are played at the same time. Most of the time each waits for a program to start.
const AT_ONCE: usize = 4;

/// What came of a product.
struct Played {
    outcome: Outcome,
    bundle: Bundle,
    /// Where the bundle is.
    _folder: TempDir,
}

/// Plays a product with these quirks. `more` goes into the configuration.
fn play(quirks: &[&str], tags: &str, more: &str, arguments: &[&str]) -> Played {
    let folder = TempDir::new().unwrap();
    let (config, bundle) = (folder.path().join("mesh-witness.yaml"), folder.path().join("bundle.zip"));
    let driver = acting::driver(quirks);
    let text = format!("product: {{name: Little Product, version: \"1\", driver: {driver}}}\n{more}\n");
    fs::write(&config, text).unwrap();
    let (config, path) = (config.to_str().unwrap(), bundle.to_str().unwrap());
    let mut all = vec!["run", "--config", config, "--bundle", path];
    if !tags.is_empty() {
        all.extend(["--tags", tags]);
    }
    all.extend(arguments);
    let outcome = witness(&all);
    assert!(bundle.exists(), "{quirks:?}: {outcome:?}");
    let bundle = Bundle::open(&bundle);
    Played { outcome, bundle, _folder: folder }
}

impl Played {
    /// IDs of the rules that came to this.
    fn rules(&self, verdict: &str) -> Vec<String> {
        let summary = self.bundle.summary();
        let rules = summary["rules"].as_array().unwrap().iter();
        let those = rules.filter(|rule| rule["verdict"] == verdict);
        those.map(|rule| rule["id"].as_str().unwrap().to_owned()).collect()
    }

    /// Cases that did not pass, with their outcomes.
    fn cases(&self) -> Vec<String> {
        let outcomes = self.bundle.outcomes().into_iter().filter(|(_, outcome)| outcome != "passed");
        outcomes.map(|(case, outcome)| format!("{case} {outcome}")).collect()
    }
}

fn tags(cases: &[u16]) -> String {
    cases.iter().map(|case| format!("@case-{case}")).collect::<Vec<_>>().join(" or ")
}

/// Plays every defect, several at a time, each with the cases that it needs.
fn all() -> BTreeMap<usize, Played> {
    let (next, played) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((place, defect)) = {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    DEFECTS.get(place).map(|defect| (place, defect))
                } {
                    // Pages of 500 messages would take most of the time of all of this; the others are not the
                    // witness pack's.
                    let pages = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/products/pack");
                    let pack: &[&str] =
                        if matches!(defect.cases, [429 | 503 | 601]) { &["--pack", pages] } else { &[] };
                    let one = play(&[defect.name], &tags(defect.cases), defect.config, pack);
                    played.lock().unwrap().insert(place, one);
                }
            });
        }
    });
    played.into_inner().unwrap()
}

#[test]
fn each_defect_is_caught_by_the_rule_that_names_it_and_by_no_other() {
    let mut table = format!("{:<34} {:<12} {:<5} {:<34} rules\n", "defect", "played", "code", "did not pass");
    let mut wrong = Vec::new();
    for (place, played) in all() {
        let Defect { name, cases, rule, expected, .. } = &DEFECTS[place];
        let (broken, warned) = (played.rules("broken"), played.rules("warning"));
        let is_right = match expected {
            Expected::Broken => (vec![(*rule).to_owned()], vec![]),
            Expected::Warned => (vec![], vec![(*rule).to_owned()]),
        } == (broken.clone(), warned.clone());
        // A broken rule fails the run; what a warning is about does not, unless a case demands more.
        let failed = played.outcome.code == Some(1);
        if !is_right || (*expected == Expected::Broken && !failed) {
            wrong.push(format!("{name}: {broken:?} {warned:?} {:?}", played.outcome));
        }
        let told = broken.iter().map(|id| format!("{id} broken"));
        let told = told.chain(warned.iter().map(|id| format!("{id} warning")));
        table.push_str(&format!(
            "{name:<34} {:<12} {:<5} {:<34} {}\n",
            cases.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            played.outcome.code.unwrap_or(-1),
            played.cases().join(", "),
            told.collect::<Vec<_>>().join(", "),
        ));
    }
    assert!(wrong.is_empty(), "{table}\n{}", wrong.join("\n\n"));
    insta::assert_snapshot!(table);
}

/// Rules that no product can break in a run on the emulator, with the reason. Each is shown on traffic that
/// was made up (`src/rules/traffic/tests`).
const NOT_IN_A_RUN: [(&str, &str); 6] = [
    ("client-certificate", "without a certificate TLS does not come about, so there is no call"),
    ("certificate-name", "the product has the certificate that it was given"),
    ("handshake-daily", "a run asks for each act, and takes no day"),
    ("polling-daily", "a run asks for each act, and takes no day"),
    ("request-size", "it takes a request of more than 100 MB"),
    (
        "headers-tolerated",
        "whoever stops at a header does not acknowledge either, which is another rule's as well",
    ),
];

#[test]
fn every_rule_has_a_product_that_breaks_it_or_a_reason_why_there_is_none() {
    let shown: BTreeSet<&str> = DEFECTS.iter().map(|defect| defect.rule).collect();
    let not: BTreeSet<&str> = NOT_IN_A_RUN.iter().map(|(rule, _)| *rule).collect();
    let all: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(shown.union(&not).copied().collect::<BTreeSet<_>>(), all);
    assert!(shown.is_disjoint(&not));
    let names: BTreeSet<&str> = DEFECTS.iter().map(|defect| defect.name).collect();
    assert_eq!(names.len(), DEFECTS.len(), "one name each");
}

#[test]
fn a_right_product_has_no_finding() {
    // Case 601, which takes its time, is played with such a product in tests/run_drivers.
    let played = play(&[], "not @case-601", "", &[]);
    assert_eq!(played.outcome.code, Some(0), "{:?}", played.outcome);
    assert_eq!((played.rules("broken"), played.rules("warning")), (vec![], vec![]));
    let held = played.rules("held");
    let unheld: Vec<&str> =
        RULES.iter().map(|rule| rule.id).filter(|id| !held.contains(&(*id).to_owned())).collect();
    // What the pack gives no occasion for.
    assert_eq!(
        unheld,
        [
            "handshake-daily",
            "polling-daily",
            "until-empty",
            "next-verbatim",
            "patient-address",
            "chunk-encoding",
            "chunk-size",
            "failures-repeated",
            "retry-after",
            "tracking-polled",
        ]
    );
    assert!(played.outcome.stdout.contains("29 held, 0 broken, 10 not applicable"), "{:?}", played.outcome);
    // How the run went: each scenario had an endpoint to itself, and every call was made within an ask.
    let course: Value = serde_json::from_str(&played.bundle.text("data/run/course.json")).unwrap();
    assert_eq!(course["anew"].as_array().unwrap().len(), played.bundle.outcomes().len());
    let asks = course["asks"].as_array().unwrap();
    assert!(
        asks.iter().all(|ask| ask["is_over"] == true && !ask["exchanges"].as_array().unwrap().is_empty())
    );
    assert_eq!(asks.iter().filter(|ask| ask["act"] == "handshake").count(), 1);
    // Offline, from the bundle, the rules say the same.
    let judged = witness(&["judge", played.bundle.path.to_str().unwrap(), "--format", "json"]);
    assert_eq!(judged.code, Some(0), "{judged:?}");
    let judged: Value = serde_json::from_str(&judged.stdout).unwrap();
    let verdicts = |rules: &Value| -> Vec<(Value, Value)> {
        let rules = rules.as_array().unwrap().iter();
        rules.map(|rule| (rule["id"].clone(), rule["verdict"].clone())).collect()
    };
    assert_eq!(verdicts(&judged["rules"]), verdicts(&played.bundle.summary()["rules"]));
}

#[test]
fn a_rule_that_is_known_to_be_broken_does_not_count_until_it_holds() {
    let folder = TempDir::new().unwrap();
    let list = folder.path().join("known.yaml");
    let entry = |rule: &str, expires: &str| {
        let text = format!("- {{rule: {rule}, reason: R, reference: T-1, owner: O, expires: {expires}}}\n");
        fs::write(&list, text).unwrap();
    };
    let run = |quirks: &[&str]| play(quirks, "@case-201", "", &["--deviations", list.to_str().unwrap()]);
    entry("token-timestamp", "2999-12-31");
    let played = run(&["british-summer-time"]);
    assert_eq!(played.outcome.code, Some(0), "{:?}", played.outcome);
    let summary = played.bundle.summary();
    assert_eq!(summary["rule_counts"]["expected_deviation"], 1);
    assert_eq!(summary["rule_counts"]["broken"], 0);
    assert!(played.bundle.text("data/report.html").contains("Expected until 2999-12-31: R."));
    assert!(!played.bundle.text("data/run/junit.xml").contains("<failure"));
    assert!(
        played
            .bundle
            .text("data/conformance.md")
            .contains("- rule token-timestamp: Expected until 2999-12-31")
    );
    for (rule, expires, quirks, says) in [
        ("token-timestamp", "2999-12-31", &[][..], "is not there any more"),
        ("token-hash", "2999-12-31", &["british-summer-time"][..], "is not there any more"),
        ("no-such-rule", "2999-12-31", &[][..], "is about nothing"),
        ("token-timestamp", "2020-01-01", &["british-summer-time"][..], "has expired on 2020-01-01"),
    ] {
        entry(rule, expires);
        let played = run(quirks);
        assert_eq!(played.outcome.code, Some(1), "{rule}: {:?}", played.outcome);
        let problems = played.bundle.summary()["deviation_problems"].clone();
        let told =
            problems.as_array().unwrap().first().and_then(Value::as_str).unwrap_or_default().to_owned();
        assert!(told.contains(&format!("rule {rule}")) && told.contains(says), "{told}");
    }
}

#[test]
fn a_broken_rule_is_told_wherever_a_person_or_a_program_looks() {
    let played = play(&["british-summer-time"], "@case-201", "", &[]);
    assert_eq!(played.outcome.code, Some(1), "{:?}", played.outcome);
    assert_eq!(played.bundle.outcomes()[0].1, "passed", "no case says anything of it");
    let summary = played.bundle.summary();
    assert_eq!(summary["verdict"], "failed");
    let stdout = &played.outcome.stdout;
    let remedy = "to mend   Take the time in UTC, not local time.";
    for part in ["✗ rule token-timestamp", "where     20", "exchange 1", "expected  20", remedy, "1 broken"]
    {
        assert!(stdout.contains(part), "{part}: {stdout}");
    }
    let junit = played.bundle.text("data/run/junit.xml");
    assert!(junit.contains("<failure") && junit.contains("British Summer Time"), "{junit}");
    let report = played.bundle.text("data/report.html");
    for part in [
        "<a href=\"#rule-token-timestamp\">Rule token-timestamp: The token&#39;s timestamp is the current time in UTC</a>",
        "id=\"rule-token-timestamp\"",
        "<a href=\"#exchange-1\">exchange 1</a>",
        "id=\"exchange-1\"",
        "1 rule broken",
    ] {
        assert!(report.contains(part), "{part}");
    }
}
