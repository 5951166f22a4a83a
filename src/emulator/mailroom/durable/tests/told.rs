//! What a call is told while the disk fails: 507 exactly when its own work, or what it saw, is gone.

use std::{thread, time::Duration};

use tokio::runtime::Builder;

use super::*;
use crate::emulator::mailroom::journal::Journal;

#[test]
fn a_call_that_only_looks_is_not_told_of_what_others_lost() {
    let (mailroom, _folder, _clock) = in_folder();
    mailroom.flush();
    let looks = std::cell::Cell::new(0);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let counted = runtime.block_on(mailroom.durably_at_last(|mailroom| {
        looks.set(looks.get() + 1);
        if looks.get() == 1 {
            // Somebody else's, seen and then undone.
            faults(mailroom).all.store(true, Ordering::SeqCst);
            send(mailroom, "BOB", "W1", b"lost").unwrap();
        }
        mailroom.count(&mailbox("BOB"))
    }));
    assert_eq!((counted, looks.get()), (Ok(0), 2));
}

#[test]
fn what_came_after_a_change_that_failed_is_undone_with_it() {
    let mailroom = arranged(Mailroom::new(Clock::new(), limits()));
    mailroom.lock().journal = Some(Journal::default());
    send(&mailroom, "BOB", "W1", b"being written").unwrap();
    let failed = mailroom.lock().take_batch();
    send(&mailroom, "BOB", "W1", b"sent meanwhile").unwrap();
    assert_eq!(mailroom.count(&mailbox("BOB")), 2);
    mailroom.lock().undo(failed.changes);
    assert_eq!(mailroom.count(&mailbox("BOB")), 0);
    assert!(mailroom.lock().take_batch().changes.is_empty(), "nor is it written later");
}

#[test]
fn a_call_is_not_told_of_what_others_lost_after_its_own_work_was_kept() {
    let (mailroom, _folder, _clock) = in_folder();
    let progress = Arc::clone(&mailroom.committer.as_ref().unwrap().progress);
    let told = durably(&mailroom, |mailroom| {
        send(mailroom, "BOB", "W1", b"kept").unwrap();
        until(|| progress.is_settled(1));
        faults(mailroom).all.store(true, Ordering::SeqCst);
        on_another_thread(|| send(mailroom, "BOB", "W1", b"lost").unwrap());
    });
    assert_eq!(told, Ok(()));
    until(|| failures(&mailroom) == 1);
    assert_eq!(mailroom.count(&mailbox("BOB")), 1);
}

#[test]
fn a_call_whose_work_is_kept_although_others_lost_theirs_before_it_is_told_so() {
    let (mailroom, _folder, _clock) = in_folder();
    let told = durably(&mailroom, |mailroom| {
        faults(mailroom).all.store(true, Ordering::SeqCst);
        on_another_thread(|| send(mailroom, "BOB", "W1", b"lost").unwrap());
        // The other's is undone before or after the work of this one, never in between unnoticed.
        let undone = (0..20).any(|_| {
            thread::sleep(Duration::from_millis(5));
            failures(mailroom) > 0
        });
        if undone {
            faults(mailroom).all.store(false, Ordering::SeqCst);
        }
        send(mailroom, "BOB", "W1", b"own").unwrap();
    });
    until(|| failures(&mailroom) == 1);
    assert_eq!(told.is_ok(), mailroom.count(&mailbox("BOB")) == 1, "{told:?}");
}

fn durably<R>(mailroom: &Mailroom, act: impl FnOnce(&Mailroom) -> R) -> Result<R, Unstored> {
    Builder::new_current_thread().build().unwrap().block_on(mailroom.durably(act))
}

fn on_another_thread<R: Send>(act: impl FnOnce() -> R + Send) -> R {
    thread::scope(|scope| scope.spawn(act).join().unwrap())
}

fn failures(mailroom: &Mailroom) -> u64 {
    mailroom.committer.as_ref().unwrap().counts.failures()
}

fn until(come: impl Fn() -> bool) {
    let patience = std::time::Instant::now() + Duration::from_secs(30);
    while !come() {
        assert!(std::time::Instant::now() < patience, "it did not come to that");
        thread::sleep(Duration::from_millis(1));
    }
}
