//! Which tokens were used. Every token is good for one request (OpenAPI, "MESH Authorization
//! header"), so the endpoint must remember a token for as long as it would otherwise accept it.

mod log;

use std::{
    collections::{BTreeMap, HashSet},
    hash::{BuildHasherDefault, Hasher},
    io,
    path::PathBuf,
};

use chrono::{DateTime, TimeDelta, Utc};

use crate::protocol::{Token, TokenTimestamp};
use log::TokenLog;

/// Remembers used tokens by the minute of their timestamp, and forgets minutes that have left the
/// window. Bounded: when it is full, the oldest minute is forgotten and *closed*, so that a token
/// of that minute or an earlier one is refused from then on. Never is a repeated token accepted.
///
/// A clock that was moved may be moved back, so that from then on a minute is forgotten for room alone.
#[derive(Debug)]
pub struct ReplayStore {
    minutes: BTreeMap<TokenTimestamp, HashSet<Identity, BuildHasherDefault<AsItIs>>>,
    held: usize,
    capacity: usize,
    closed_up_to: Option<TokenTimestamp>,
    clock_moved: bool,
    log: Option<TokenLog>,
}

/// How much later than others a call may come here that looked at the clock before them.
const LATE: TimeDelta = TimeDelta::minutes(1);

/// The first half of the hash: 128 bits of a MAC tell tokens apart.
type Identity = u128;

/// Takes an identity for its own hash. It is one: a MAC, which nobody can choose without the shared key.
#[derive(Debug, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, identity: u128) {
        self.0 = identity as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl ReplayStore {
    /// A store that holds at most so many tokens, at 20 to 40 bytes each.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        let minutes = BTreeMap::new();
        Self { minutes, held: 0, capacity, closed_up_to: None, clock_moved: false, log: None }
    }

    /// The same with all tokens that are in a folder, and which are written there from now on.
    ///
    /// # Errors
    /// When the folder cannot be read or written.
    pub fn open(capacity: usize, folder: PathBuf) -> io::Result<Self> {
        let mut store = Self::with_capacity(capacity);
        let log = TokenLog::open(folder, |minute, identity| {
            store.remember(minute, identity);
        })?;
        store.log = Some(log);
        Ok(store)
    }

    /// Remembers that the clock is not the machine's.
    pub fn note_moved_clock(&mut self) {
        self.clock_moved = true;
    }

    /// Uses a token up. `false` when it was used before, or may have been.
    ///
    /// Call it only with tokens whose hash was right: then nobody can fill the store with rubbish.
    pub fn spend(&mut self, token: &Token, now: DateTime<Utc>) -> bool {
        if !self.clock_moved {
            // Another call may have looked at the clock before this one, and come here after it.
            self.forget_before(now - LATE);
        }
        let minute = token.timestamp();
        if self.closed_up_to.is_some_and(|closed| minute <= closed) {
            return false;
        }
        let identity = first_half(token.identity());
        if !self.remember(minute, identity) {
            return false;
        }
        if let Some(log) = &mut self.log {
            // On a full disk calls are still answered: messages must be read to make room. Only a
            // restart would forget this token.
            let _ = log.append(minute, identity);
        }
        true
    }

    fn remember(&mut self, minute: TokenTimestamp, identity: Identity) -> bool {
        if !self.minutes.entry(minute).or_default().insert(identity) {
            return false;
        }
        self.held += 1;
        while self.held > self.capacity {
            self.close_oldest();
        }
        true
    }

    fn forget_before(&mut self, now: DateTime<Utc>) {
        while let Some(oldest) = self.minutes.first_entry() {
            if oldest.key().is_within_window(now) || oldest.key().time() > now {
                break;
            }
            self.held -= oldest.remove().len();
        }
        if let Some(log) = &mut self.log {
            log.forget_before(TokenTimestamp::at(now - TokenTimestamp::WINDOW));
        }
    }

    fn close_oldest(&mut self) {
        if let Some((minute, tokens)) = self.minutes.pop_first() {
            self.held -= tokens.len();
            self.closed_up_to = self.closed_up_to.max(Some(minute));
        }
    }
}

/// The first 32 of the hexadecimal digits that a hash is. By hand: every request comes by here.
fn first_half(hash: &str) -> Identity {
    // In ASCII digits have no bit but the lower six, and letters of either case begin with 1 in the lower four.
    let digit = |byte: u8| Identity::from((byte & 0xf) + 9 * (byte >> 6));
    hash.bytes().take(32).fold(0, |number, byte| number << 4 | digit(byte))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use uuid::Uuid;

    use super::*;
    use crate::protocol::{Credentials, MailboxId, NonceCount, Password, SharedKey};

    fn token(count: u32, at: DateTime<Utc>) -> Token {
        let credentials = Credentials {
            mailbox: MailboxId::parse("X26ABC1").unwrap(),
            password: Password::new("p"),
            shared_key: SharedKey::new("k"),
        };
        Token::build(&credentials, Uuid::nil(), NonceCount::new(count), at)
    }

    fn noon() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    #[test]
    fn an_identity_is_the_number_that_the_first_digits_are() {
        for hash in
            ["0123456789abcdefABCDEF9876543210", "ffffffffffffffffffffffffffffffff0", &"09afAF".repeat(10)]
        {
            assert_eq!(first_half(hash), Identity::from_str_radix(&hash[..32], 16).unwrap(), "{hash}");
        }
    }

    #[test]
    fn a_token_is_good_once_and_a_higher_count_is_another_token() {
        let mut store = ReplayStore::with_capacity(10);
        assert!(store.spend(&token(0, noon()), noon()));
        assert!(!store.spend(&token(0, noon()), noon()));
        assert!(store.spend(&token(1, noon()), noon()));
    }

    #[test]
    fn a_token_is_remembered_as_long_as_it_would_be_accepted() {
        let mut store = ReplayStore::with_capacity(10);
        let late = token(0, noon() + TimeDelta::hours(2));
        assert!(store.spend(&late, noon()));
        let end = noon() + TimeDelta::hours(4);
        assert!(late.timestamp().is_within_window(end));
        assert!(!store.spend(&late, end));
        assert!(store.spend(&token(1, end), end + LATE + TimeDelta::minutes(1)));
        assert_eq!(store.held, 1);
    }

    #[test]
    fn what_was_used_before_a_restart_is_refused_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let open = || ReplayStore::open(10, folder.path().join("tokens")).unwrap();
        let files = || std::fs::read_dir(folder.path().join("tokens")).unwrap().count();
        let (early, late) = (token(0, noon()), token(1, noon() + TimeDelta::hours(2)));
        assert!(open().spend(&early, noon()));
        assert!(open().spend(&late, noon()));
        let mut store = open();
        assert!(!store.spend(&early, noon()) && !store.spend(&late, noon()));
        assert!(store.spend(&token(2, noon()), noon()));
        assert_eq!(files(), 2);
        // Windows may show a file that was removed until nobody has it open.
        drop(store);
        assert!(!open().spend(&late, noon() + TimeDelta::hours(4)));
        assert_eq!(files(), 1, "the window has left the earlier hour");
    }

    #[test]
    fn where_the_clock_was_moved_a_restart_at_the_machines_time_lets_none_in_twice() {
        let folder = tempfile::tempdir().unwrap();
        let open = || ReplayStore::open(10, folder.path().join("tokens")).unwrap();
        let once = token(0, noon());
        let mut store = open();
        assert!(store.spend(&once, noon()));
        store.note_moved_clock();
        let later = noon() + TimeDelta::days(5);
        assert!(store.spend(&token(1, later), later));
        drop(store);
        assert!(!open().spend(&once, noon()));
    }

    /// At the machine's time the token is good again after a restart.
    #[test]
    fn hours_about_the_machines_time_are_kept_however_far_a_clock_is_moved() {
        let folder = tempfile::tempdir().unwrap();
        let open = || ReplayStore::open(1000, folder.path().join("tokens")).unwrap();
        for direction in [1, -1] {
            let now = Utc::now();
            let once = token(0, now);
            let mut store = open();
            store.note_moved_clock();
            assert!(store.spend(&once, now));
            for hour in 1..80 {
                let then = now + TimeDelta::hours(direction * hour);
                assert!(store.spend(&token(1, then), then), "{hour}");
            }
            drop(store);
            assert!(!open().spend(&once, now), "{direction}");
            std::fs::remove_dir_all(folder.path().join("tokens")).unwrap();
        }
    }

    #[test]
    fn a_clock_that_is_moved_on_and_on_opens_no_file_for_each_hour() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = ReplayStore::open(1000, folder.path().join("tokens")).unwrap();
        store.note_moved_clock();
        for hour in 0..200 {
            let now = noon() + TimeDelta::hours(hour);
            assert!(store.spend(&token(0, now), now));
        }
        assert_eq!(std::fs::read_dir(folder.path().join("tokens")).unwrap().count(), 64);
    }

    #[test]
    fn a_token_that_was_cut_short_is_dropped_and_those_after_it_are_read_rightly() {
        let folder = tempfile::tempdir().unwrap();
        let open = || ReplayStore::open(10, folder.path().to_owned()).unwrap();
        assert!(open().spend(&token(0, noon()), noon()));
        let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        let mut cut = std::fs::read(&file).unwrap();
        cut.extend([7; 10]);
        std::fs::write(&file, cut).unwrap();
        assert!(open().spend(&token(1, noon()), noon()));
        let mut store = open();
        assert!(!store.spend(&token(0, noon()), noon()) && !store.spend(&token(1, noon()), noon()));
    }

    #[test]
    fn a_full_store_refuses_what_it_can_no_longer_tell() {
        let mut store = ReplayStore::with_capacity(3);
        let minute = |minutes| noon() + TimeDelta::minutes(minutes);
        for count in 0..3 {
            assert!(store.spend(&token(count, minute(0)), minute(1)));
        }
        assert!(store.spend(&token(3, minute(1)), minute(1)));
        assert!(store.held <= 3);
        for count in 0..5 {
            assert!(!store.spend(&token(count, minute(0)), minute(1)), "{count}");
        }
        assert!(!store.spend(&token(3, minute(1)), minute(1)));
        assert!(store.spend(&token(4, minute(1)), minute(1)));
    }
}
