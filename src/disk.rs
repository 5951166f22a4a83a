//! What a disk says when it does not take what is written to it.

use std::io;

/// Whether there is no room left where something was to be written: on the disk, or of what its owner may use.
/// Nothing that is on it is lost by that, and writing elsewhere or later may succeed.
pub fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_and_a_quota_are_full_and_no_other_refusal_is() {
        let is = |kind: io::ErrorKind| is_full(&kind.into());
        assert!(is(io::ErrorKind::StorageFull) && is(io::ErrorKind::QuotaExceeded));
        assert!(!is(io::ErrorKind::ReadOnlyFilesystem) && !is(io::ErrorKind::FileTooLarge));
    }
}
