//! The command line.

mod access_log;
mod args;
mod check;
mod compare;
mod csr;
mod driving;
mod emulate;
mod emulated;
mod exit;
mod front;
mod init;
mod interruption;
mod judge;
mod lines;
mod new_file;
mod record;
mod rehearsal;
mod relayed;
mod run;
mod screen;
mod setting;
mod steps;
mod taping;
mod terms;
mod token;
mod verify;

use std::{io, num::NonZero, path::Path};

use clap::Parser;
use mesh_witness::disk;

use args::{Arguments, Command};
pub use exit::Exit;

/// Runs the program.
pub fn main() -> Exit {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors; there is nobody left to tell if printing fails.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Good };
        }
    };
    let result = match arguments.command {
        Command::Verify(arguments) => verify::verify(&arguments),
        Command::Judge(arguments) => judge::judge(&arguments),
        Command::Compare(arguments) => compare::compare(&arguments),
        Command::Steps(arguments) => steps::steps(&arguments),
        Command::Init(arguments) => init::init(&arguments),
        Command::Csr(arguments) => csr::csr(&arguments),
        Command::Token(arguments) => token::token(&arguments),
        Command::Run(arguments) => with_runtime(processors(), run::run(arguments)),
        Command::Emulate(arguments) => with_runtime(arguments.threads(), emulate::emulate(arguments)),
        Command::Record(arguments) => with_runtime(processors(), record::record(arguments)),
        Command::Check(arguments) => with_runtime(processors(), check::check(arguments)),
    };
    let exit = result.unwrap_or_else(|failure| {
        screen::error(&failure.message);
        failure.exit
    });
    match screen::unprinted() {
        Some(error) => {
            screen::error(&format!("standard output cannot be written, so not all was told: {error}"));
            if exit == Exit::Good { Exit::Environment } else { exit }
        }
        None => exit,
    }
}

/// Why a command could not do what it was asked: the code, and one message for a person.
pub struct Failure {
    exit: Exit,
    message: String,
}

impl Failure {
    fn new(exit: Exit, message: impl ToString) -> Self {
        Self { exit, message: message.to_string() }
    }

    /// What an option names cannot be written.
    fn unwritable(option: &str, path: &Path, error: &io::Error) -> Self {
        let mend = match (disk::is_full(error), disk::is_out_of_files(error)) {
            (true, _) => "make room on its disk, or name another one",
            (_, true) => "let the program open more files (ulimit -n)",
            _ => "name a folder that you may write to",
        };
        let message = format!("{option}: {}: cannot be written: {error}; {mend}", path.display());
        Self::new(Exit::of_unwritable(error), message)
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

fn with_runtime(
    threads: usize,
    command: impl Future<Output = Result<Exit, Failure>>,
) -> Result<Exit, Failure> {
    match tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build() {
        Ok(runtime) => {
            let result = runtime.block_on(command);
            // A name that is still being looked up must not keep a run that has given up on it.
            runtime.shutdown_background();
            result
        }
        Err(error) => Err(Failure::new(Exit::Environment, format!("cannot start: {error}"))),
    }
}
