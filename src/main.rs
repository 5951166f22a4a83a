//! The `mesh-witness` program: reads the command line, does what it says, and exits with the code
//! that says what came of it.
#![forbid(unsafe_code)]

mod cli;
#[path = "../steps/mod.rs"]
mod steps;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main().into()
}
