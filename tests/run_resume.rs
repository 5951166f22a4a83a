//! Case 703 in two runs, against an emulator that stands alone and whose clock is moved in between: the
//! second run finds the report, or says that there is none.

mod support;

use std::{
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Stdio},
};

use serde_json::{Value, json};
use support::{Bundle, Config, Outcome, PASSWORD, SHARED_KEY, admin, program, witness};
use tempfile::TempDir;

/// Five days, and two hours.
const LATER: i64 = 5 * 86_400 + 7_200;

/// `mesh-witness emulate`, and a folder for bundles.
struct Rig {
    emulate: Child,
    url: String,
    folder: TempDir,
}

impl Drop for Rig {
    fn drop(&mut self) {
        let _ = self.emulate.kill();
        let _ = self.emulate.wait();
    }
}

impl Rig {
    fn start() -> Self {
        let mut emulate = program();
        emulate.args(["emulate", "--listen", "127.0.0.1:0", "--plain-http", "--shared-key", SHARED_KEY]);
        for mailbox in ["PRODUCT", "COUNTERPART", "DORMANT"] {
            emulate.args(["--mailbox", &format!("{mailbox}:{PASSWORD}")]);
        }
        let mut emulate = emulate.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(emulate.stdout.take().unwrap()).lines();
        let url = lines.next().unwrap().unwrap().strip_prefix("listening on ").unwrap().to_owned();
        std::thread::spawn(move || lines.for_each(drop));
        Self { emulate, url, folder: TempDir::new().unwrap() }
    }

    fn admin(&self, method: &str, path: &str, body: &Value) {
        admin(&self.url, method, path, body);
    }

    fn move_clock(&self, seconds: i64) {
        self.admin("POST", "clock", &json!({ "move_seconds": seconds }));
    }

    fn bundle(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, name: &str, more: &[&str]) -> (Outcome, Bundle) {
        let file = Config::new(&self.url, self.folder.path()).write();
        let text = fs::read_to_string(&file).unwrap();
        let text = text.replace("  counterpart: {", "  dormant: {id: DORMANT}\n  counterpart: {");
        fs::write(&file, text.replace("delivery_seconds: 5", "delivery_seconds: 2")).unwrap();
        let bundle = self.bundle(name);
        let _ = fs::remove_file(&bundle);
        let mut all = vec!["run", "--tags", "@case-201 or @case-703", "--config", file.to_str().unwrap()];
        all.extend(["--bundle", bundle.to_str().unwrap()]);
        all.extend(more);
        let outcome = witness(&all);
        assert!(bundle.exists(), "{outcome:?}");
        (outcome, Bundle::open(&bundle))
    }

    /// The run that sends; what it has left.
    fn first(&self) -> Value {
        let (outcome, bundle) = self.run("first.zip", &[]);
        assert_eq!(outcome.code, Some(3), "{outcome:?}");
        assert_eq!(bundle.outcomes()[1], ("703".to_owned(), "not run".to_owned()));
        bundle.summary()["pending"][0].clone()
    }

    /// The run that goes on with it.
    fn second(&self) -> (Outcome, Bundle) {
        self.run("second.zip", &["--resume", self.bundle("first.zip").to_str().unwrap()])
    }
}

#[test]
fn five_days_later_the_second_run_finds_the_report_and_says_that_time_was_moved() {
    let rig = Rig::start();
    let pending = rig.first();
    let first = Bundle::open(&rig.bundle("first.zip"));
    let run_id = first.summary()["run_id"].as_str().unwrap().to_owned();
    rig.move_clock(LATER);
    let (outcome, bundle) = rig.second();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let summary = bundle.summary();
    assert_eq!(bundle.outcomes()[1], ("703".to_owned(), "passed".to_owned()));
    assert_eq!((summary["resumed"].as_str(), &summary["pending"]), (Some(run_id.as_str()), &json!([])));
    assert_eq!(summary["cases"][1]["clock_moved_seconds"], LATER);
    assert_eq!(summary["environment"]["emulated"], true, "whatever the configuration calls it");
    let (report, message) = (bundle.text("data/report.html"), pending["message_id"].as_str().unwrap());
    for text in
        [&format!("Taken up from run {run_id}: message {message}"), "Goes on with run", "703: no such time"]
    {
        assert!(report.contains(text), "{text:?} is not in the report");
    }
    assert!(bundle.text("data/conformance.md").contains(&format!("goes on with run {run_id}")));
    // A case of the first run was never played at a moved clock.
    assert_eq!(first.summary()["cases"][0]["clock_moved_seconds"], Value::Null);
    for name in ["README.txt", "conformance.md", "summary.json", "run/junit.xml", "run/exchanges.har"] {
        let says =
            |bundle: &Bundle| bundle.text(&format!("data/{name}")).contains("clock was moved on purpose");
        assert!(says(&bundle) && !says(&first), "{name}");
    }
}

#[test]
fn a_day_too_early_the_message_is_taken_along_however_the_clock_was_moved() {
    let rig = Rig::start();
    let pending = rig.first();
    rig.move_clock(4 * 86_400);
    let (outcome, bundle) = rig.second();
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    assert_eq!(bundle.outcomes()[1], ("703".to_owned(), "not run".to_owned()));
    assert_eq!(bundle.summary()["pending"][0], pending);
}

/// A message that is sent when the clock was moved already is due five days after that.
/// Whoever goes on with the last bundle waits for no five days again.
#[test]
fn a_second_run_that_does_not_get_to_it_takes_the_message_along() {
    let mut rig = Rig::start();
    let pending = rig.first();
    rig.emulate.kill().unwrap();
    rig.emulate.wait().unwrap();
    let (outcome, bundle) = rig.second();
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    assert_eq!(bundle.summary()["pending"], json!([pending]));
}

#[test]
fn days_before_the_send_do_not_count() {
    let rig = Rig::start();
    rig.first();
    rig.move_clock(LATER);
    // A bundle that has nothing of case 703 left, so that the case begins anew, at the moved clock.
    let (outcome, _) = rig.second();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let done = rig.bundle("second.zip");
    let (_, bundle) = rig.run("third.zip", &["--resume", done.to_str().unwrap()]);
    assert_eq!(bundle.outcomes()[1], ("703".to_owned(), "not run".to_owned()));
    let third = rig.bundle("third.zip");
    let (outcome, bundle) = rig.run("fourth.zip", &["--resume", third.to_str().unwrap()]);
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    assert_eq!(bundle.outcomes()[1], ("703".to_owned(), "not run".to_owned()));
}

/// No report on the message came, since somebody has taken it; perhaps one came on another.
#[test]
fn without_a_report_on_this_message_the_second_run_does_not_pass() {
    for report_on_another in [false, true] {
        let rig = Rig::start();
        let pending = rig.first();
        rig.admin("DELETE", "reset/DORMANT", &json!({}));
        if report_on_another {
            let report = json!({
                "mailbox_id": "PRODUCT", "code": "14", "description": "Not collected", "workflow_id": "TEST_WORKFLOW",
                "linked_message_id": "20261121120000000000_ABCDEF"
            });
            rig.admin("POST", "report", &report);
        }
        rig.move_clock(LATER);
        let (outcome, bundle) = rig.second();
        assert_eq!(outcome.code, Some(3), "{outcome:?}");
        assert_eq!(bundle.outcomes()[1], ("703".to_owned(), "error".to_owned()));
        let what = bundle.fault()["what"].as_str().unwrap().to_owned();
        assert!(
            what.contains("there is no report on message")
                && what.contains(pending["message_id"].as_str().unwrap())
        );
        assert_eq!(bundle.summary()["pending"][0], pending, "so that another run can look again");
    }
}
