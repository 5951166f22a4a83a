//! A product that is asked by a program: one call for each action, the action as its last argument,
//! everything else in its environment.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::{Duration, Instant},
};

use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
    time::timeout,
};

use super::{Said, order::Order};
use crate::{product::AskError, tape::Redactor};

/// How much of each output is kept, in bytes. The rest is read and counted.
const KEPT: usize = 64 * 1024;
/// How long outputs may stay open once the program has ended.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// What the program keeps of our own environment: where programs and the person's files are, the
/// language, the time zone. Nothing else: there may be secrets in it.
const INHERITED: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "TEMP",
    "TMP",
    "JAVA_HOME",
    "DOTNET_ROOT",
    "SYSTEMROOT",
    "WINDIR",
    "COMSPEC",
    "PATHEXT",
    "APPDATA",
    "LOCALAPPDATA",
    "USERPROFILE",
];

/// Why a program cannot be started.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("product.driver.command: {}; {}", self.what(), self.remedy())]
pub enum CommandError {
    /// Nothing there.
    Missing(String),
    /// It may not be executed.
    NotExecutable(String),
    /// It is a script, and what is to run it is not there.
    NoInterpreter {
        /// The script.
        name: String,
        /// What is to run it.
        interpreter: String,
    },
    /// No program is named.
    Empty,
}

impl CommandError {
    /// What is wrong.
    #[must_use]
    pub fn what(&self) -> String {
        match self {
            Self::Missing(name) => format!("{name}: there is no such program"),
            Self::NotExecutable(name) => format!("{name}: is not executable"),
            Self::NoInterpreter { name, interpreter } => {
                format!("{name}: its first line asks for {interpreter:?}, which is not there")
            }
            Self::Empty => "names no program".to_owned(),
        }
    }

    /// How to mend it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Missing(_) => "correct its path, which is relative to the folder of the configuration",
            Self::NotExecutable(_) => "chmod +x it, or name the program that runs it first, such as python3",
            Self::NoInterpreter { interpreter, .. } if interpreter.ends_with('\r') => {
                "correct that line, and save the file with the line ends of this system: \\r is Windows'"
            }
            Self::NoInterpreter { .. } => "correct that line",
            Self::Empty => "write command: [./drive.sh]",
        }
    }
}

/// A program that is there and may be executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramFile(pub PathBuf);

impl ProgramFile {
    /// Finds it: a path relative to the folder, or a name in `PATH`.
    ///
    /// # Errors
    /// When it is not there or may not be executed.
    pub fn find(command: &[String], folder: &Path) -> Result<Self, CommandError> {
        let name = command.first().filter(|name| !name.is_empty()).ok_or(CommandError::Empty)?;
        if name.contains(['/', '\\']) {
            return executable(folder.join(name), name);
        }
        let paths = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&paths).find_map(|path| {
            let path = if cfg!(windows) { path.join(name).with_extension("exe") } else { path.join(name) };
            executable(path, name).ok()
        });
        found.ok_or_else(|| CommandError::Missing(name.clone()))
    }
}

fn executable(path: PathBuf, name: &str) -> Result<ProgramFile, CommandError> {
    let Ok(facts) = std::fs::metadata(&path) else { return Err(CommandError::Missing(name.to_owned())) };
    #[cfg(unix)]
    let may = {
        use std::os::unix::fs::PermissionsExt;
        facts.permissions().mode() & 0o111 != 0
    };
    #[cfg(not(unix))]
    let may = true;
    if !facts.is_file() || !may {
        return Err(CommandError::NotExecutable(name.to_owned()));
    }
    match interpreter(&path).filter(|interpreter| !Path::new(interpreter).exists()) {
        Some(interpreter) if cfg!(unix) => {
            Err(CommandError::NoInterpreter { name: name.to_owned(), interpreter })
        }
        _ => Ok(ProgramFile(path)),
    }
}

/// What is to run a script, by its first line: the system says only that something is not there.
fn interpreter(script: &Path) -> Option<String> {
    let mut start = Vec::new();
    File::open(script).ok()?.take(256).read_to_end(&mut start).ok()?;
    let line = start.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let line = String::from_utf8_lossy(line).into_owned();
    Some(line.trim_start_matches([' ', '\t']).split([' ', '\t']).next()?.to_owned())
}

/// Runs the program for one action.
pub async fn run(
    command: &[String],
    folder: &Path,
    limit: Duration,
    order: &Order,
    redactor: &Redactor,
) -> Result<Said, AskError> {
    let unusable = AskError::Configuration;
    let ProgramFile(program) =
        ProgramFile::find(command, folder).map_err(|error| unusable(error.to_string()))?;
    let mut child = prepared(&program, command, folder, order)
        .spawn()
        .map_err(|error| unusable(unstarted(&program, &error)))?;
    let mut group = Group::of(&child);
    let began = Instant::now();
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (mut stdout, mut stderr) = (Output::default(), Output::default());
    let ended = {
        let reading = async { tokio::join!(stdout.read(out), stderr.read(err)) };
        let mut reading = std::pin::pin!(reading);
        let mut read_all = false;
        let ended = timeout(limit, async {
            tokio::select! {
                status = child.wait() => status,
                // Both outputs are closed: it has ended, or will.
                _ = &mut reading => {
                    read_all = true;
                    child.wait().await
                }
            }
        })
        .await;
        // Whatever it has started ends with it.
        group.kill();
        if !read_all {
            // What holds an output open and is not of the group is not waited for.
            let _ = timeout(LAST_WORDS, &mut reading).await;
        }
        ended
    };
    if ended.is_err() {
        // It was killed with its group, and is only to be waited for.
        let _ = child.start_kill();
        let _ = timeout(LAST_WORDS, child.wait()).await;
    }
    let seconds = began.elapsed().as_secs_f64();
    let (is_over, was_ended) = (matches!(ended, Ok(Ok(_))), ended.is_err());
    let has_crashed = matches!(&ended, Ok(Ok(status)) if status.code().is_none());
    let (succeeded, how) = match ended {
        Ok(Ok(status)) => (Some(status.success()), format!("{} after {seconds:.2} s", told(status))),
        Ok(Err(error)) => (Some(false), format!("it could not be waited for: {error}")),
        Err(_) => {
            (Some(false), format!("ended by mesh-witness after its time limit of {} s", limit.as_secs()))
        }
    };
    let output = Some(evidence(command, order, &how, &stdout, &stderr, redactor));
    Ok(Said { succeeded, is_over, was_ended, has_crashed, how, output, ..Said::default() })
}

fn unstarted(program: &Path, error: &io::Error) -> String {
    /// `ENOEXEC`.
    const NO_PROGRAM: i32 = 8;
    let is_no_program = cfg!(unix) && error.raw_os_error() == Some(NO_PROGRAM);
    let hint = if is_no_program { "; a script begins with a line such as #!/bin/sh" } else { "" };
    format!("{}: cannot be started: {error}{hint}", program.display())
}

fn prepared(program: &Path, command: &[String], folder: &Path, order: &Order) -> Command {
    let mut prepared = Command::new(program);
    prepared
        .args(command.iter().skip(1))
        .arg(order.action.word())
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    for name in INHERITED {
        if let Some(value) = std::env::var_os(name) {
            prepared.env(name, value);
        }
    }
    prepared.envs(order.told.iter().map(|told| (told.name, &told.value)));
    #[cfg(unix)]
    prepared.process_group(0);
    prepared
}

/// The program and everything that it has started.
struct Group(#[cfg(unix)] Option<rustix::process::Pid>);

impl Group {
    #[cfg(unix)]
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self(id.and_then(rustix::process::Pid::from_raw))
    }

    #[cfg(not(unix))]
    fn of(_: &Child) -> Self {
        Self()
    }

    /// Once: its number may be another's later.
    fn kill(&mut self) {
        #[cfg(unix)]
        if let Some(group) = self.0.take() {
            // A group that is gone needs not be killed.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

/// A run that is cut short leaves nothing running.
impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

#[derive(Default)]
struct Output {
    kept: Vec<u8>,
    size: u64,
}

impl Output {
    async fn read(&mut self, from: Option<impl AsyncRead + Unpin>) {
        let Some(mut from) = from else { return };
        let mut piece = vec![0; 8 * 1024];
        while let Ok(count @ 1..) = from.read(&mut piece).await {
            self.size += count as u64;
            let room = KEPT.saturating_sub(self.kept.len()).min(count);
            self.kept.extend_from_slice(piece.get(..room).unwrap_or_default());
        }
    }

    fn told(&self, name: &str, redactor: &Redactor) -> String {
        let is_cut = self.size > self.kept.len() as u64;
        let cut = if is_cut { format!(", the first {} here", self.kept.len()) } else { String::new() };
        let text = super::lines(&redactor.output(&self.kept, is_cut));
        format!("--- {name}: {} bytes{cut}\n{text}\n", self.size)
    }
}

fn told(status: ExitStatus) -> String {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt;
        if let Some(signal) = status.signal() {
            return format!("ended by signal {signal}");
        }
    }
    status.code().map_or_else(|| "ended without an exit code".to_owned(), |code| format!("exit code {code}"))
}

fn evidence(
    command: &[String],
    order: &Order,
    how: &str,
    stdout: &Output,
    stderr: &Output,
    redactor: &Redactor,
) -> String {
    let command = redactor.text(&command.join(" "));
    let mut text = format!(
        "{command} {}\n{how}\n--- environment, but for password and shared key\n",
        order.action.word()
    );
    for (name, value) in order.open() {
        text.push_str(&format!("{name}={}\n", redactor.text(value)));
    }
    text + &stdout.told("standard output", redactor) + &stderr.told("standard error", redactor)
}
