//! How many files and connections the system lets this program have open at a time. Who runs out of them in the middle
//! of a call can neither store what it was sent nor read what it has.

/// Files that are open beside those of calls: the store, logs, the listening socket, and what a library opens.
const BESIDE: u64 = 64;
/// A connection, and the file of a body that passes on it.
const A_CALL: u64 = 2;
/// What 1024 connections need, and as much again.
#[cfg(unix)]
const ENOUGH: u64 = 4096;

/// Has the system let this program open as many files as it may, up to 4096: many systems begin with 1024, and let
/// whoever asks have more. Where they do not, there are fewer connections at a time.
pub fn raise_open_files() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let wanted = maximum.map_or(ENOUGH, |maximum| maximum.min(ENOUGH));
        if current.is_some_and(|current| current < wanted) {
            // With what there is it works as well, for fewer callers.
            let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
        }
    }
}

/// How many connections there may be at a time, `most` at the most.
pub(super) fn connections(most: usize) -> usize {
    #[cfg(unix)]
    let open = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    #[cfg(not(unix))]
    let open = None;
    room(open, most)
}

/// At least one, since one call after the other is served with few files.
fn room(open: Option<u64>, most: usize) -> usize {
    let calls = open.map_or(u64::MAX, |open| open.saturating_sub(BESIDE) / A_CALL);
    usize::try_from(calls).unwrap_or(usize::MAX).clamp(1, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_connection_has_room_for_a_file_as_well() {
        for (open, connections) in [
            (None, 1024),
            (Some(4096), 1024),
            (Some(2112), 1024),
            (Some(2110), 1023),
            (Some(1024), 480),
            (Some(256), 96),
            (Some(66), 1),
            (Some(10), 1),
        ] {
            assert_eq!(room(open, 1024), connections, "{open:?}");
        }
    }
}
