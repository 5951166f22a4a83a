//! What came of it, as a number.

use std::{io, process::ExitCode};

use mesh_witness::disk;

/// Exit codes: a contract with whoever calls us from a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: all required cases passed, or the bundle is good.
    Good,
    /// 1: something under test failed, or the bundle is not good.
    Failed,
    /// 2: the call, the configuration or a feature file is wrong.
    Usage,
    /// 3: the endpoint or the environment is at fault.
    Environment,
}

impl Exit {
    /// Of something that cannot be written: nobody mends a full disk, or a limit of open files, by calling us otherwise.
    pub fn of_unwritable(error: &io::Error) -> Self {
        if disk::is_full(error) || disk::is_out_of_files(error) { Self::Environment } else { Self::Usage }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Good => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Environment => 3,
        })
    }
}
