//! A server as a process of its own, and what the system says of it.

use std::{
    ffi::OsStr,
    fs::{self, File},
    net::SocketAddr,
    path::Path,
    process::{Child, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread::sleep,
    time::{Duration, Instant},
};

/// A command, put together by value.
pub struct Command(std::process::Command);

impl Command {
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self(std::process::Command::new(program))
    }

    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.0.arg(argument);
        self
    }

    pub fn args<const N: usize>(mut self, arguments: [&str; N]) -> Self {
        self.0.args(arguments);
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }
}

pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// From before it was started until it said where it listens.
    pub start: Duration,
}

impl Server {
    /// Starts a server that says `… on http://ADDRESS` or `… on https://ADDRESS` when it is ready.
    /// What it says goes to a file, so that nobody's time is spent on reading it.
    pub fn start(mut command: Command, folder: &Path) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let log = folder.join(format!("{}.log", COUNT.fetch_add(1, Ordering::Relaxed)));
        let file = File::create(&log).expect("a file");
        let errors = file.try_clone().expect("the same file");
        let began = Instant::now();
        let mut child =
            command.0.stdin(Stdio::null()).stdout(file).stderr(errors).spawn().expect("a server that starts");
        loop {
            let said = fs::read_to_string(&log).expect("what it said");
            if let Some(address) = address(&said) {
                return Self { child, address, start: began.elapsed() };
            }
            let ended = child.try_wait().expect("a child").is_some();
            assert!(!ended && began.elapsed() < Duration::from_secs(30), "the server is not ready: {said}");
            sleep(Duration::from_micros(200));
        }
    }

    /// Processor time that it has used; `None` where there is no `/proc`.
    pub fn cpu(&self) -> Option<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        // The name, second, may hold blanks, and ends with the last parenthesis.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
        let mut ticks = || fields.next()?.parse::<u64>().ok();
        // Linux counts in hundredths of a second, whatever it runs on.
        Some(Duration::from_millis((ticks()? + ticks()?) * 10))
    }

    /// The most memory that it has had resident, in bytes.
    pub fn peak(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn address(said: &str) -> Option<SocketAddr> {
    let at = said.find(" on http")?;
    let address = said[at..].split_once("://")?.1;
    let end = address.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ':')))?;
    address[..end].parse().ok()
}
