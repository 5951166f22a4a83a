//! The program asks whoever sits at a terminal: for declarations (cases 801 to 803) when a run begins, and
//! during case 701 whether a mailbox is disabled. Played on a pseudo-terminal, with setsid to make it the
//! program's own, so that Ctrl-C is what it is.
#![cfg(target_os = "linux")]

mod support;

use std::{
    fs::{File, OpenOptions},
    io::{Read, Write},
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use mesh_witness::emulator::Arrangement;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::json;
use support::{Bundle, Endpoint, admin};

/// What the keys send.
const CTRL_C: &str = "\x03";
const CTRL_D: &str = "\x04";
/// Typed where yes or nothing is asked for; nothing of it may be kept.
const SLIP: &str = "yes-but-it-is-hunter2";

/// What is typed at the program's own terminal, and what it shows there.
struct Terminal {
    keys: File,
    shown: Arc<Mutex<String>>,
    /// How much of what was shown has been expected already.
    read: usize,
}

impl Terminal {
    /// A terminal, and its side for a program.
    fn new() -> (Self, OwnedFd) {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let name = ptsname(&controller, Vec::new()).unwrap();
        let name = std::ffi::OsStr::from_bytes(name.as_bytes());
        let side = OpenOptions::new().read(true).write(true).open(name).unwrap();
        let mut output = File::from(controller);
        let keys = output.try_clone().unwrap();
        let shown = Arc::new(Mutex::new(String::new()));
        let sink = Arc::clone(&shown);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // When the program has ended, reading fails.
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                sink.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..count]));
            }
        });
        (Self { keys, shown, read: 0 }, side.into())
    }

    fn shown(&self) -> String {
        self.shown.lock().unwrap().clone()
    }

    /// Waits until this is shown, after what was waited for before.
    fn expect(&mut self, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let shown = self.shown();
            if let Some(place) = shown.get(self.read..).and_then(|rest| rest.find(text)) {
                self.read += place + text.len();
                return;
            }
            assert!(Instant::now() < deadline, "never {text:?} on the terminal: {shown}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn type_in(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }
}

/// A run against an endpoint.
struct Run {
    terminal: Terminal,
    child: Child,
    endpoint: Endpoint,
    bundle: PathBuf,
}

impl Run {
    /// With standard output at the terminal too.
    fn start(tags: &str) -> Self {
        Self::start_with(tags, &[], false)
    }

    fn start_with(tags: &str, environment: &[(&str, &str)], piped: bool) -> Self {
        let endpoint = Endpoint::start_with(false, Arrangement { admin: true, ..Arrangement::default() });
        let config = endpoint.config().write();
        let bundle = endpoint.folder.path().join("bundle.zip");
        let (terminal, side) = Terminal::new();
        let side = || Stdio::from(side.try_clone().unwrap());
        let mut command = Command::new("env");
        // Whoever plays the tests in the background of a script has Ctrl-C ignored, by them and whatever they start.
        command.args(["--default-signal=INT", "setsid", "--ctty", env!("CARGO_BIN_EXE_mesh-witness")]);
        command.args(["run", "--tags", tags, "--config"]);
        command.arg(config).arg("--bundle").arg(&bundle);
        command.env("TERM", "xterm").env_remove("NO_COLOR").envs(environment.iter().copied());
        command.stdin(side()).stderr(side()).stdout(if piped { Stdio::piped() } else { side() });
        let child = command.spawn().unwrap();
        Self { terminal, child, endpoint, bundle }
    }

    fn disable(&self, disabled: bool) {
        admin(&self.endpoint.url, "POST", "mailbox/PRODUCT", &json!({ "active": !disabled }));
    }

    /// Its end, and what was printed to a standard output that is not the terminal.
    fn end(&mut self) -> (ExitStatus, String) {
        let mut printed = String::new();
        if let Some(mut stdout) = self.child.stdout.take() {
            stdout.read_to_string(&mut printed).unwrap();
        }
        (self.child.wait().unwrap(), printed)
    }

    fn ends_with(&mut self, code: i32) -> Bundle {
        let (status, _) = self.end();
        assert_eq!(status.code(), Some(code), "{}", self.terminal.shown());
        Bundle::open(&self.bundle)
    }
}

fn outcomes(bundle: &Bundle) -> Vec<String> {
    bundle.outcomes().into_iter().map(|(_, outcome)| outcome).collect()
}

const DECLARATIONS: &str = "@case-201 or @attestation";

#[test]
fn declarations_are_asked_for_one_by_one_and_what_is_neither_yes_nor_no_is_asked_again() {
    let mut run = Run::start(DECLARATIONS);
    let terminal = &mut run.terminal;
    terminal.expect("your name: ");
    terminal.type_in("A.\x1b[31m Person\n");
    terminal.expect("That is not taken");
    terminal.expect("your name: ");
    terminal.type_in("A. Person\n");
    terminal.expect("your role: ");
    terminal.type_in("Product owner\n");
    terminal.expect("801: do you declare that the product uses at most one thread for each mailbox?");
    terminal.type_in(&format!("{SLIP}\n"));
    terminal.expect("That is neither yes nor an empty line.");
    terminal.expect("801: do you declare");
    terminal.type_in("Yes\n");
    terminal.expect("802: do you declare");
    terminal.type_in("\n");
    terminal.expect("803: do you declare");
    terminal.type_in("no\n");
    let bundle = run.ends_with(3);
    assert_eq!(outcomes(&bundle), ["passed", "attested", "not run", "not run"]);
    let said: serde_json::Value = serde_json::from_str(&bundle.text("data/attestations/801.json")).unwrap();
    assert_eq!((&said["name"], &said["role"]), (&json!("A. Person"), &json!("Product owner")));
    assert_eq!(said["given"], "terminal");
    assert!(!bundle.files.contains_key("data/attestations/802.json"));
    bundle.assert_lacks(SLIP);
}

/// Each question, and what came of each case when Ctrl-D answers it.
#[test]
fn ctrl_d_ends_the_questions_and_what_was_declared_by_then_stands() {
    for (answers, expected) in [
        (&[][..], ["not run", "not run", "not run"]),
        (&["A. Person\n"], ["not run", "not run", "not run"]),
        (&["A. Person\n", "Tester\n", "yes\n"], ["attested", "not run", "not run"]),
    ] {
        let mut run = Run::start("@attestation");
        let questions = ["your name: ", "your role: ", "801: do", "802: do"];
        for (question, keys) in questions.iter().zip(answers.iter().copied().chain([CTRL_D])) {
            run.terminal.expect(question);
            run.terminal.type_in(keys);
        }
        let bundle = run.ends_with(3);
        assert_eq!(outcomes(&bundle), expected);
        assert!(!run.terminal.shown().contains("803: do"), "nobody is asked who has gone");
    }
}

#[test]
fn ctrl_c_at_a_declaration_ends_the_program_before_anything_is_played() {
    let mut run = Run::start(DECLARATIONS);
    run.terminal.expect("your name: ");
    run.terminal.type_in(CTRL_C);
    let (status, _) = run.end();
    assert!(!status.success());
    assert!(!run.bundle.exists());
}

#[test]
fn case_701_waits_until_the_mailbox_is_disabled_and_nothing_is_written_over_the_question() {
    let mut run = Run::start("@case-201 or @case-701");
    run.terminal.expect("have NHS England disable mailbox PRODUCT now. Is it disabled?");
    run.terminal.expect("or leave it empty: ");
    // Long enough for a line that changes to change.
    thread::sleep(Duration::from_millis(500));
    let since = run.terminal.shown().split_off(run.terminal.read);
    assert_eq!(since, "", "nothing is written over what is typed");
    run.terminal.type_in(&format!("{SLIP}\n"));
    run.terminal.expect("That is neither yes nor an empty line.");
    run.terminal.expect("Is it disabled?");
    run.disable(true);
    run.terminal.type_in("yes\n");
    run.terminal.expect("have mailbox PRODUCT enabled again. Is it enabled?");
    run.disable(false);
    run.terminal.type_in("yes\n");
    let bundle = run.ends_with(0);
    assert_eq!(outcomes(&bundle), ["passed", "passed"]);
    bundle.assert_lacks(SLIP);
}

#[test]
fn case_701_is_not_run_when_nobody_confirms() {
    for keys in ["\n", "no\n", CTRL_D] {
        let mut run = Run::start("@case-201 or @case-701");
        run.terminal.expect("Is it disabled?");
        run.terminal.type_in(keys);
        let bundle = run.ends_with(3);
        assert_eq!(outcomes(&bundle), ["passed", "not run"]);
        assert!(bundle.text("data/summary.json").contains("nobody has confirmed that it was"));
    }
}

#[test]
fn ctrl_c_at_the_question_of_case_701_leaves_a_bundle_that_is_marked() {
    let mut run = Run::start("@case-201 or @case-701");
    run.terminal.expect("Is it disabled?");
    run.terminal.type_in(CTRL_C);
    let bundle = run.ends_with(3);
    assert_eq!(outcomes(&bundle), ["passed", "not run"]);
    assert_eq!(bundle.summary()["verdict"], "cut short");
}

/// Colours of text; a line that changes needs other codes, and is on terminals only.
fn is_coloured(text: &str) -> bool {
    let codes = text.split("\x1b[").skip(1);
    let mut codes =
        codes.filter_map(|rest| rest.find(|c: char| c.is_ascii_alphabetic()).map(|end| &rest[..=end]));
    codes.any(|code| code.ends_with('m') && code != "0m")
}

#[test]
fn colours_are_on_terminals_alone_and_where_they_are_wanted() {
    // A warning, since the endpoint is called without TLS, and a run.
    let played = |environment: &[(&str, &str)], piped| {
        let mut run = Run::start_with("@case-201", environment, piped);
        let (status, printed) = run.end();
        assert_eq!(status.code(), Some(0), "{}", run.terminal.shown());
        (run.terminal.shown(), printed)
    };
    let (terminal, _) = played(&[], false);
    assert!(terminal.contains("PASSED") && is_coloured(&terminal), "{terminal:?}");
    let (terminal, printed) = played(&[], true);
    assert!(printed.contains("PASSED") && !printed.contains('\x1b'), "{printed:?}");
    assert!(is_coloured(&terminal), "the warning is on the terminal: {terminal:?}");
    // There is no live line either where a terminal is dumb.
    let (terminal, _) = played(&[("TERM", "dumb")], false);
    assert!(terminal.contains("PASSED") && !terminal.contains('\x1b'), "{terminal}");
    let (terminal, _) = played(&[("NO_COLOR", "1")], false);
    assert!(terminal.contains("PASSED") && !is_coloured(&terminal), "{terminal:?}");
}
