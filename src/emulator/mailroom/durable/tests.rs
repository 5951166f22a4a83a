//! A durable mailroom answers as one in memory does, wherever it is closed and opened again.

use std::{fs, path::Path, sync::atomic::Ordering};

use chrono::TimeDelta;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::{
    emulator::{
        Clock, Profile, Receiver, Switches,
        mailroom::{Mailbox, Mailroom, Unavailable, tests::*},
        switches::Expiry,
    },
    protocol::{InboxQuery, MessageId, Password, Tracked},
};

mod histories;
mod told;

fn limits() -> Limits {
    // Bodies of more than 8 bytes go to disk.
    // What three or four messages say.
    Limits { remembered: 4, remembered_bytes: 40, in_memory_bytes: 8, ..Limits::default() }
}

fn arranged(mailroom: Mailroom) -> Mailroom {
    mailroom.register(mailbox("ALICE"), Password::new("a"));
    mailroom.register(mailbox("BOB"), Password::new("b"));
    let receiver = Receiver::Accepts;
    mailroom.install(Mailbox { receiver, ..Mailbox::new(mailbox("CAROL"), Password::new("c")) });
    mailroom
}

fn open(clock: &Clock, switches: &Switches, folder: &Path) -> Mailroom {
    arranged(Mailroom::open(clock.clone(), limits(), switches.clone(), folder).unwrap())
}

fn in_folder() -> (Mailroom, TempDir, Clock) {
    let (folder, clock) = (TempDir::new().unwrap(), Clock::new());
    (open(&clock, &Switches::default(), folder.path()), folder, clock)
}

fn faults(mailroom: &Mailroom) -> &database::Faults {
    &mailroom.committer.as_ref().unwrap().folder.database.faults
}

/// When it is closed, it leaves everything as a kill would.
fn leave(mailroom: &Mailroom) {
    faults(mailroom).close.store(true, Ordering::SeqCst);
}

fn again(mailroom: Mailroom, folder: &TempDir, clock: &Clock) -> Mailroom {
    drop(mailroom);
    open(clock, &Switches::default(), folder.path())
}

fn bodies(folder: &TempDir) -> Vec<std::path::PathBuf> {
    fs::read_dir(folder.path().join("bodies")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// Bodies are removed by a thread of their own.
fn until_there_are(folder: &TempDir, count: usize) {
    let began = std::time::Instant::now();
    while bodies(folder).len() != count {
        assert!(began.elapsed().as_secs() < 10, "{:?}", bodies(folder));
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

fn body(mailroom: &Mailroom, at: &str, id: &MessageId, chunk: u32) -> Vec<u8> {
    mailroom.message(&mailbox(at), id).unwrap().chunk(chunk).unwrap().whole().unwrap()
}

/// Why a folder is not opened.
fn refused(clock: &Clock, folder: &Path) -> String {
    let opened = Mailroom::open(clock.clone(), limits(), Switches::default(), folder);
    opened.map(drop).unwrap_err().to_string()
}

const LONG: &[u8] = b"a body that goes to a file of its own";

#[test]
fn bodies_go_with_their_messages_and_no_sooner() {
    let (mailroom, folder, clock) = in_folder();
    let id = send(&mailroom, "BOB", "W1", LONG).unwrap();
    let mailroom = again(mailroom, &folder, &clock);
    assert_eq!(bodies(&folder).len(), 1);
    assert_eq!(body(&mailroom, "BOB", &id, 1), LONG);
    mailroom.acknowledge(&mailbox("BOB"), &id).unwrap();
    let mailroom = again(mailroom, &folder, &clock);
    assert!(mailroom.message(&mailbox("BOB"), &id).is_err());
    assert!(bodies(&folder).is_empty());
}

#[test]
fn when_a_message_was_delivered_is_known_after_it_has_expired() {
    let (mailroom, folder, clock) = in_folder();
    let labels = [("mex-to", "BOB"), ("mex-workflowid", "W1"), ("mex-chunk-range", "1:2")];
    let id = send_with(&mailroom, &labels, b"x").unwrap();
    clock.move_by(TimeDelta::days(28)).unwrap();
    chunk_with(&mailroom, &id, 2, "2:2", b"y").unwrap();
    clock.move_by(TimeDelta::days(6)).unwrap();
    assert!(waiting(&mailroom, "BOB").is_empty());
    let told = mailroom.track(&mailbox("ALICE"), &id);
    let mailroom = again(mailroom, &folder, &clock);
    assert_eq!(mailroom.message(&mailbox("BOB"), &id).unwrap_err(), Unavailable::Gone);
    assert!(told.is_some());
    assert_eq!(mailroom.track(&mailbox("ALICE"), &id), told);
}

/// The flags of the next start are about what is still to come.
#[test]
fn other_limits_of_time_after_a_restart_change_nothing_of_what_happened() {
    let (mailroom, folder, clock) = in_folder();
    let begun = [("mex-to", "BOB"), ("mex-workflowid", "W1"), ("mex-chunk-range", "1:2")];
    let begun = send_with(&mailroom, &begun, b"x").unwrap();
    let expired = send(&mailroom, "BOB", "W1", b"x").unwrap();
    clock.move_by(TimeDelta::days(6)).unwrap();
    let acknowledged = send(&mailroom, "BOB", "W1", b"x").unwrap();
    mailroom.acknowledge(&mailbox("BOB"), &acknowledged).unwrap();
    let tell = |mailroom: &Mailroom| {
        let tell = |id| mailroom.track(&mailbox("ALICE"), id).unwrap();
        [tell(&begun), tell(&expired)].map(|told| (told.status_at, told.failure, told.expires_at))
    };
    let told = tell(&mailroom);
    let [(begun_at, ..), (expired_at, _, expires_at)] = &told;
    assert_eq!(*begun_at, mailroom.track(&mailbox("ALICE"), &begun).unwrap().sent_at);
    assert_eq!(expired_at, expires_at);
    drop(mailroom);
    let expiry = Expiry { inbox: TimeDelta::days(7), message: TimeDelta::days(60) };
    let mailroom = open(&clock, &Switches { expiry, ..Switches::default() }, folder.path());
    let now = tell(&mailroom);
    assert_eq!((&now[0].0, &now[1]), (&told[0].0, &told[1]));
}

#[test]
fn where_a_message_was_delivered_is_known_after_it_was_acknowledged() {
    let (mailroom, folder, clock) = in_folder();
    let labels = [("mex-to", "BOB"), ("mex-workflowid", "W1"), ("mex-chunk-range", "1:2")];
    let chunked = send_with(&mailroom, &labels, b"x").unwrap();
    send(&mailroom, "BOB", "W1", b"before").unwrap();
    chunk_with(&mailroom, &chunked, 2, "2:2", b"y").unwrap();
    let later = send(&mailroom, "BOB", "W1", b"later").unwrap();
    mailroom.acknowledge(&mailbox("BOB"), &chunked).unwrap();
    let mailroom = again(mailroom, &folder, &clock);
    let query = crate::protocol::InboxQuery::parse("").unwrap();
    let after = mailroom.inbox_after_any(&mailbox("BOB"), &query, &chunked).unwrap();
    assert_eq!(after.messages, [later]);
}

#[test]
fn a_body_in_many_pieces_is_written_one_behind_the_other() {
    let (mailroom, folder, clock) = in_folder();
    let mut writer = mailroom.body_writer(crate::protocol::ContentEncoding::Identity);
    for pieces in [vec!["ab", "cd"], vec!["", "efghi", "j"], vec!["klmno"]] {
        writer.write(pieces.into_iter().map(|piece| piece.as_bytes().into()).collect()).unwrap();
    }
    let headers = [("mex-to", "BOB"), ("mex-workflowid", "W1")];
    let id = send_stored(&mailroom, &headers, writer.finish().unwrap()).unwrap();
    let mailroom = again(mailroom, &folder, &clock);
    assert_eq!(bodies(&folder).len(), 1);
    assert_eq!(body(&mailroom, "BOB", &id, 1), b"abcdefghijklmno");
}

/// mesh-sandbox goes on to serve what was acknowledged.
#[test]
fn a_short_body_that_is_served_again_stays_in_its_row() {
    let (folder, clock, switches) = (TempDir::new().unwrap(), Clock::new(), Switches::of(Profile::Sandbox));
    let mailroom = open(&clock, &switches, folder.path());
    let id = send(&mailroom, "BOB", "W1", b"short").unwrap();
    drop(mailroom);
    let mailroom = open(&clock, &switches, folder.path());
    mailroom.acknowledge(&mailbox("BOB"), &id).unwrap();
    drop(mailroom);
    let mailroom = open(&clock, &switches, folder.path());
    assert!(waiting(&mailroom, "BOB").is_empty());
    assert_eq!(body(&mailroom, "BOB", &id, 1), b"short");
}

#[test]
fn nothing_is_left_of_chunks_that_were_taken_and_each_transaction_is_counted() {
    let (mut mailroom, folder, clock) = in_folder();
    let range = [("mex-to", "BOB"), ("mex-workflowid", "W1"), ("mex-chunk-range", "1:2")];
    let id = send_with(&mailroom, &range, b"first").unwrap();
    mailroom.flush();
    chunk_with(&mailroom, &id, 2, "2:2", b"second").unwrap();
    mailroom = again(mailroom, &folder, &clock);
    let rows = |mailroom: &Mailroom| mailroom.committer.as_ref().unwrap().folder.database.rows().unwrap();
    assert_eq!(rows(&mailroom).chunks.values().map(Vec::len).sum::<usize>(), 2);
    mailroom.acknowledge(&mailbox("BOB"), &id).unwrap();
    mailroom = again(mailroom, &folder, &clock);
    assert_eq!((rows(&mailroom).messages.len(), rows(&mailroom).chunks.len()), (1, 0));
    drop(mailroom);
    let database = Database::open(folder.path().join(DATABASE), true).unwrap();
    assert_eq!(database.last().unwrap(), 3);
}

/// Or else memory would grow with all that was ever sent.
#[test]
fn memory_holds_a_short_body_until_it_is_in_the_database() {
    let (mailroom, _folder, _clock) = in_folder();
    let is_held = |id: &MessageId| {
        let message = mailroom.message(&mailbox("BOB"), id).unwrap();
        let Kept::Row(row) = &message.chunk(1).unwrap().kept else { panic!("{message:?}") };
        row.pieces().is_some()
    };
    let send = || {
        let id = send(&mailroom, "BOB", "W1", b"short").unwrap();
        mailroom.flush();
        id
    };
    let first = send();
    assert!(is_held(&first));
    let began = std::time::Instant::now();
    while is_held(&first) {
        assert!(began.elapsed().as_secs() < 10, "no log is ever full");
        send();
    }
    let last_in_a_log = send();
    faults(&mailroom).logs.store(true, Ordering::SeqCst);
    let at_once = send();
    assert!(!is_held(&last_in_a_log) && !is_held(&at_once));
}

/// What an hour does: logs that are full and emptied many times.
#[test]
fn hundreds_of_messages_are_there_however_it_ends() {
    for killed in [false, true] {
        let (mut mailroom, folder, clock) = in_folder();
        let mut sent = Vec::new();
        for number in 0..400_u32 {
            let content: &[u8] = [b"one" as &[u8], b"another", LONG][number as usize % 3];
            sent.push((send(&mailroom, "BOB", "W1", content).unwrap(), content));
            if number % 3 == 0 {
                mailroom.flush();
            }
            if number % 7 == 0 {
                mailroom.acknowledge(&mailbox("BOB"), &sent.remove(0).0).unwrap();
            }
        }
        for log in ["mailroom-1.log", "mailroom-2.log"] {
            let length = fs::metadata(folder.path().join(log)).unwrap().len();
            assert!((20_000..60_000).contains(&length), "{log} has {length} bytes");
        }
        mailroom.flush();
        if killed {
            leave(&mailroom);
        }
        mailroom = again(mailroom, &folder, &clock);
        let ids: Vec<_> = sent.iter().map(|(id, _)| id.clone()).collect();
        assert_eq!(waiting(&mailroom, "BOB"), ids);
        sent.iter().for_each(|(id, content)| assert_eq!(body(&mailroom, "BOB", id, 1), *content));
    }
}

#[test]
fn a_body_that_is_being_downloaded_stays_whole_though_its_message_is_acknowledged() {
    for content in [LONG, b"short"] {
        let (mailroom, folder, _clock) = in_folder();
        let id = send(&mailroom, "BOB", "W1", content).unwrap();
        mailroom.flush();
        let body = mailroom.message(&mailbox("BOB"), &id).unwrap().chunk(1).unwrap().clone();
        let mut reader = body.open().unwrap();
        mailroom.acknowledge(&mailbox("BOB"), &id).unwrap();
        mailroom.flush();
        assert_eq!(reader.next().unwrap().unwrap(), content);
        drop((reader, body));
        until_there_are(&folder, 0);
    }
}

#[test]
fn a_body_that_was_refused_or_replaced_leaves_nothing() {
    let (mailroom, folder, _clock) = in_folder();
    assert!(send(&mailroom, "NOBODY", "W1", LONG).is_err());
    let mut writer = mailroom.body_writer(crate::protocol::ContentEncoding::Identity);
    writer.write(vec![LONG.into()]).unwrap();
    drop(writer);
    until_there_are(&folder, 0);
}

#[test]
fn what_a_kill_left_half_done_is_swept_and_what_is_not_ours_is_not() {
    let (mailroom, folder, clock) = in_folder();
    let id = send(&mailroom, "BOB", "W1", LONG).unwrap();
    drop(mailroom);
    let orphan = folder.path().join("bodies").join(format!("{}.body", Uuid::new_v4().simple()));
    let foreign = folder.path().join("bodies/notes.txt");
    for path in [&orphan, &foreign] {
        fs::write(path, "half").unwrap();
    }
    let mailroom = open(&clock, &Switches::default(), folder.path());
    assert_eq!((orphan.exists(), foreign.exists()), (false, true));
    assert_eq!(body(&mailroom, "BOB", &id, 1), LONG);
}

#[test]
fn a_message_whose_body_is_gone_or_cut_is_left_out_alone_and_back_when_the_body_is() {
    for harm in [|path: &Path| fs::remove_file(path).unwrap(), |path: &Path| fs::write(path, "cut").unwrap()]
    {
        let (mailroom, folder, clock) = in_folder();
        let harmed = send(&mailroom, "BOB", "W1", LONG).unwrap();
        drop(mailroom);
        let path = bodies(&folder).remove(0);
        let mailroom = open(&clock, &Switches::default(), folder.path());
        let other = send(&mailroom, "BOB", "W1", LONG).unwrap();
        drop(mailroom);
        let good = fs::read(&path).unwrap();
        harm(&path);
        let mailroom = open(&clock, &Switches::default(), folder.path());
        let [set_aside] = mailroom.set_aside() else { panic!("{:?}", mailroom.set_aside()) };
        assert_eq!(set_aside.message, harmed.as_str());
        assert!(set_aside.why.contains(path.to_str().unwrap()), "{}", set_aside.why);
        assert_eq!(waiting(&mailroom, "BOB"), std::slice::from_ref(&other));
        let later = send(&mailroom, "BOB", "W1", b"later").unwrap();
        drop(mailroom);
        fs::write(&path, good).unwrap();
        let mailroom = open(&clock, &Switches::default(), folder.path());
        assert_eq!(waiting(&mailroom, "BOB"), [harmed.clone(), other, later]);
        assert_eq!(body(&mailroom, "BOB", &harmed, 1), LONG);
    }
}

#[test]
fn two_at_a_time_another_format_and_rubbish_are_refused_and_say_why() {
    let (mailroom, folder, clock) = in_folder();
    let opened = |folder: &Path| refused(&clock, folder);
    assert!(opened(folder.path()).contains("another process is using it"));
    drop(mailroom);
    let path = folder.path().join("mailroom.redb");
    let database = Database::open(path.clone(), true).unwrap();
    database.set_format(7);
    drop(database);
    assert!(opened(folder.path()).contains("is of format 7, and this version knows format 4"));
    let good = fs::read(&path).unwrap();
    fs::write(&path, "this is no database, and long enough to be looked into ".repeat(100)).unwrap();
    assert!(opened(folder.path()).contains("mailroom.redb: is damaged"), "{}", opened(folder.path()));
    fs::write(&path, &good[..100]).unwrap();
    assert!(opened(folder.path()).contains("mailroom.redb: is damaged"), "{}", opened(folder.path()));
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(opened(&file).contains("name a folder that can be written"), "{}", opened(&file));
}

/// A kill leaves what was changed last in the logs.
#[test]
fn a_log_that_is_lost_or_cut_short_after_a_kill_is_told_and_nothing_is_lost_by_the_telling() {
    let lost: fn(&Path) = |path| fs::remove_file(path).unwrap();
    let cut: fn(&Path) = |path| fs::OpenOptions::new().write(true).open(path).unwrap().set_len(4096).unwrap();
    let emptied: fn(&Path) = |path| fs::write(path, "").unwrap();
    for (harm, why) in [(lost, "is missing"), (cut, "was cut short"), (emptied, "was cut short")] {
        for log in ["mailroom-1.log", "mailroom-2.log"] {
            let (mailroom, folder, clock) = in_folder();
            let mailroom = again(mailroom, &folder, &clock);
            let ids = [LONG, b"short"].map(|content| send(&mailroom, "BOB", "W1", content).unwrap());
            mailroom.flush();
            leave(&mailroom);
            drop(mailroom);
            let path = folder.path().join(log);
            let good = fs::read(&path).unwrap();
            harm(&path);
            let told = refused(&clock, folder.path());
            assert!(told.contains(&format!("{log}: is damaged: it {why}")), "{told}");
            fs::write(&path, good).unwrap();
            let mailroom = open(&clock, &Switches::default(), folder.path());
            assert_eq!(waiting(&mailroom, "BOB"), ids);
            assert_eq!(body(&mailroom, "BOB", &ids[0], 1), LONG);
        }
    }
}

#[test]
fn after_a_stop_in_good_order_the_logs_are_not_needed() {
    let (mailroom, folder, clock) = in_folder();
    let id = send(&mailroom, "BOB", "W1", b"short").unwrap();
    drop(mailroom);
    for log in ["mailroom-1.log", "mailroom-2.log"] {
        fs::remove_file(folder.path().join(log)).unwrap();
    }
    for _ in 0..2 {
        let mailroom = open(&clock, &Switches::default(), folder.path());
        assert_eq!(waiting(&mailroom, "BOB"), std::slice::from_ref(&id));
    }
}

/// To begin anew beside them would remove every body.
#[test]
fn a_database_that_is_lost_or_emptied_beside_its_logs_is_told_and_nothing_is_lost_by_the_telling() {
    let harms: [fn(&Path); 2] = [|path| fs::remove_file(path).unwrap(), |path| fs::write(path, "").unwrap()];
    for harm in harms {
        let (mailroom, folder, clock) = in_folder();
        let id = send(&mailroom, "BOB", "W1", LONG).unwrap();
        drop(mailroom);
        let path = folder.path().join(DATABASE);
        let good = fs::read(&path).unwrap();
        harm(&path);
        for _ in 0..2 {
            let told = refused(&clock, folder.path());
            assert!(
                told.contains("mailroom.redb: is damaged: it is missing or empty, and the logs"),
                "{told}"
            );
        }
        fs::write(&path, good).unwrap();
        let mailroom = open(&clock, &Switches::default(), folder.path());
        assert_eq!(waiting(&mailroom, "BOB"), std::slice::from_ref(&id));
        assert_eq!(body(&mailroom, "BOB", &id, 1), LONG);
    }
}

#[test]
fn a_database_that_was_made_and_got_no_logs_before_a_kill_is_begun_with() {
    let (folder, clock) = (TempDir::new().unwrap(), Clock::new());
    folder::create(folder.path()).unwrap();
    drop(Database::open(folder.path().join(DATABASE), true).unwrap());
    let mailroom = open(&clock, &Switches::default(), folder.path());
    let id = send(&mailroom, "BOB", "W1", LONG).unwrap();
    assert_eq!(waiting(&again(mailroom, &folder, &clock), "BOB"), [id]);
}

#[test]
fn a_database_that_is_damaged_anywhere_opens_whole_or_says_so() {
    let (mailroom, folder, clock) = in_folder();
    let sent: Vec<_> = (0..50).map(|_| send(&mailroom, "BOB", "W1", b"short").unwrap()).collect();
    drop(mailroom);
    let path = folder.path().join("mailroom.redb");
    let good = fs::read(&path).unwrap();
    for part in 0..40 {
        let mut bad = good.clone();
        let at = good.len() * part / 40;
        let end = (at + 64).min(bad.len());
        bad[at..end].iter_mut().for_each(|byte| *byte ^= 0x5A);
        fs::write(&path, bad).unwrap();
        let opening = std::panic::catch_unwind(|| {
            Mailroom::open(clock.clone(), limits(), Switches::default(), folder.path())
        });
        if let Ok(Ok(mailroom)) = opening {
            let found = waiting(&arranged(mailroom), "BOB").len();
            assert!(found == sent.len(), "{found} of {} when part {part} is damaged", sent.len());
        }
    }
}
