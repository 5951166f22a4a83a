//! Whatever fails, what was taken is there, and nothing else.

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::emulator::mailroom::durable::{
    DATABASE, folder,
    writes::{Body, Written},
};

fn open(folder: &TempDir) -> (Store, Vec<u64>) {
    folder::create(folder.path()).unwrap();
    let database = Database::open(folder.path().join(DATABASE), true).unwrap();
    let (logs, last) = open_logs(folder.path(), &database).unwrap();
    let there = there(&database);
    assert_eq!(last, there.len() as u64, "each wrote one row");
    let folder = Arc::new(Folder::open(folder.path(), database).unwrap());
    (Store::start(folder, last, logs).unwrap(), there)
}

fn there(database: &Database) -> Vec<u64> {
    database.rows().unwrap().messages.into_iter().map(|(number, _)| number).collect()
}

fn one(number: u64, bytes: usize) -> Writes {
    let row = Written { record: vec![b'x'; bytes], body: Body::None };
    Writes { rows: [((number, 0), Some(row))].into(), next_number: number + 1, cleared: false }
}

/// Something that happens to a store.
#[derive(Debug, Clone)]
enum Event {
    Commit {
        bytes: usize,
    },
    /// The database fails the next times that something is written to it.
    DatabaseFails(u32),
    LogsFail(bool),
    Kill,
    Close,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        20 => prop::sample::select(vec![10_usize, 5000, 40_000]).prop_map(|bytes| Event::Commit { bytes }),
        4 => (1..4_u32).prop_map(Event::DatabaseFails),
        2 => any::<bool>().prop_map(Event::LogsFail),
        1 => Just(Event::Kill),
        1 => Just(Event::Close),
    ];
    prop::collection::vec(event, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_was_taken_is_there_and_nothing_else_whatever_fails(events in events()) {
        let folder = TempDir::new().unwrap();
        let (mut store, mut taken, mut next) = (open(&folder).0, Vec::new(), 0);
        for event in events.into_iter().chain([Event::Kill, Event::Close]) {
            match event {
                Event::Commit { bytes } => {
                    if store.commit(one(next, bytes)).is_ok() {
                        taken.push(next);
                    }
                    next += 1;
                }
                Event::DatabaseFails(times) => store.folder.database.faults.commits.store(times, Ordering::SeqCst),
                Event::LogsFail(fail) => store.folder.database.faults.logs.store(fail, Ordering::SeqCst),
                Event::Kill | Event::Close => {
                    if matches!(event, Event::Close) {
                        store.close();
                    } else {
                        drop(store);
                    }
                    let there;
                    (store, there) = open(&folder);
                    prop_assert_eq!(&there, &taken);
                    let known = store.folder.database.rows().unwrap().next_number;
                    prop_assert_eq!(known, taken.last().map_or(0, |last| last + 1));
                }
            }
        }
    }
}

/// Ends it as a kill would.
fn kill(store: Store, folder: &TempDir) -> Vec<u64> {
    drop(store);
    open(folder).1
}

/// The first seven, of a block each, are in a log that cannot be emptied, two more in the other.
fn with_a_log_that_is_not_emptied() -> (TempDir, Store) {
    let folder = TempDir::new().unwrap();
    let (mut store, _) = open(&folder);
    (0..7).for_each(|number| store.commit(one(number, 1000)).unwrap());
    store.folder.database.faults.commits.store(1, Ordering::SeqCst);
    (7..9).for_each(|number| store.commit(one(number, 1000)).unwrap());
    store.wait_for_other();
    assert!(matches!(store.other, Other::StillFull(_)));
    (folder, store)
}

#[test]
fn what_the_database_has_not_taken_is_in_the_logs_and_goes_there_with_the_next_that_do_not_fit() {
    let (folder, store) = with_a_log_that_is_not_emptied();
    assert!(there(&store.folder.database).is_empty());
    assert_eq!(kill(store, &folder), (0..9).collect::<Vec<_>>());

    let (mut store, _) = open(&folder);
    (9..16).for_each(|number| store.commit(one(number, 1000)).unwrap());
    store.folder.database.faults.commits.store(1, Ordering::SeqCst);
    store.commit(one(16, 1000)).unwrap();
    store.commit(one(17, 40_000)).unwrap();
    assert!(matches!(store.other, Other::Empty(_)) && store.filling.writes.are_none());
    assert_eq!(there(&store.folder.database), (0..18).collect::<Vec<_>>());
    // A log of 32 KiB has room for seven of one block each, behind its first.
    (18..60).for_each(|number| store.commit(one(number, 1000)).unwrap());
    for log in LOGS {
        assert_eq!(std::fs::metadata(folder.path().join(log)).unwrap().len(), 32 << 10);
    }
    assert_eq!(kill(store, &folder), (0..60).collect::<Vec<_>>());
}

#[test]
fn what_the_logs_do_not_take_goes_into_the_database_and_what_neither_takes_is_refused() {
    let folder = TempDir::new().unwrap();
    let (mut store, _) = open(&folder);
    store.commit(one(0, 1000)).unwrap();
    store.folder.database.faults.logs.store(true, Ordering::SeqCst);
    store.commit(one(1, 1000)).unwrap();
    assert_eq!(there(&store.folder.database), [0, 1]);
    store.folder.database.faults.commits.store(1, Ordering::SeqCst);
    assert!(store.commit(one(99, 1000)).is_err());
    store.folder.database.faults.logs.store(false, Ordering::SeqCst);
    store.commit(one(2, 1000)).unwrap();
    assert_eq!(there(&store.folder.database), [0, 1], "it is in a log again");
    assert_eq!(kill(store, &folder), [0, 1, 2]);
}

#[test]
fn when_it_is_closed_everything_is_in_the_database() {
    let folder = TempDir::new().unwrap();
    let forget_logs = || {
        for log in LOGS {
            std::fs::remove_file(folder.path().join(log)).unwrap();
        }
    };
    let (mut store, _) = open(&folder);
    (0..10).for_each(|number| store.commit(one(number, 1000)).unwrap());
    store.close();
    forget_logs();
    let (mut store, there) = open(&folder);
    assert_eq!(there, (0..10).collect::<Vec<_>>());
    // One log that could not be emptied, and nothing in the other.
    (10..17).for_each(|number| store.commit(one(number, 1000)).unwrap());
    store.folder.database.faults.commits.store(1, Ordering::SeqCst);
    assert!(store.changes_logs());
    store.close();
    forget_logs();
    let (store, there) = open(&folder);
    assert_eq!(there, (0..17).collect::<Vec<_>>());
    assert_eq!(store.folder.database.rows().unwrap().next_number, 17);
}

#[test]
fn either_log_may_hold_what_came_first() {
    let folder = TempDir::new().unwrap();
    let (mut store, _) = open(&folder);
    (0..14).for_each(|number| store.commit(one(number, 1000)).unwrap());
    store.wait_for_other();
    store.folder.database.faults.commits.store(1, Ordering::SeqCst);
    (14..16).for_each(|number| store.commit(one(number, 1000)).unwrap());
    store.wait_for_other();
    assert!(matches!(store.other, Other::StillFull(_)));
    assert_eq!(there(&store.folder.database).len(), 7, "the first log is written to again");
    assert_eq!(kill(store, &folder), (0..16).collect::<Vec<_>>());
}

#[test]
fn a_log_that_is_missing_is_told_when_the_other_goes_on_from_it() {
    let (folder, store) = with_a_log_that_is_not_emptied();
    drop(store);
    std::fs::remove_file(folder.path().join(LOGS[0])).unwrap();
    let database = Database::open(folder.path().join(DATABASE), true).unwrap();
    let told = open_logs(folder.path(), &database).unwrap_err().to_string();
    assert!(told.contains("transaction 1 is neither in it nor in the logs, and 8 is"), "{told}");
}
