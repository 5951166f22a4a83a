//! The books, as calls and the thread that makes them durable share them.

use std::{
    cell::Cell,
    ops::{Deref, DerefMut},
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use super::{
    Rooms,
    durable::Progress,
    journal::{Batch, Change, Journal},
};

thread_local! {
    /// The last change that there was when this thread last let go of the books.
    static SEEN: Cell<u64> = const { Cell::new(0) };
}

/// The books and who waits for changes of them.
pub struct Shared {
    rooms: Mutex<Rooms>,
    changed: Condvar,
    /// Whether somebody waits for changes: to wake nobody is a call of the system as well.
    awaited: AtomicBool,
    closing: AtomicBool,
    /// Held by calls while they are made, so that nothing is undone meanwhile.
    steady: RwLock<()>,
}

/// The books, in one hand. Whoever makes changes durable is told when they are let go.
pub struct Access<'a> {
    rooms: MutexGuard<'a, Rooms>,
    /// Dropped after the guard: whoever is told earlier wakes up only to wait for the books.
    told: Told<'a>,
}

struct Told<'a> {
    shared: &'a Shared,
    due: bool,
}

impl Shared {
    pub fn new(rooms: Rooms) -> Self {
        Self {
            rooms: Mutex::new(rooms),
            changed: Condvar::new(),
            awaited: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            steady: RwLock::default(),
        }
    }

    pub fn lock(&self) -> MutexGuard<'_, Rooms> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn access(&self) -> Access<'_> {
        Access { rooms: self.lock(), told: Told { shared: self, due: false } }
    }

    /// Nothing is undone before this is dropped. Taken before the books.
    pub fn steady(&self) -> RwLockReadGuard<'_, ()> {
        self.steady.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes calls, and gives the last change that they can have made or seen: not those of others after them.
    pub fn watched<R>(&self, act: impl FnOnce() -> R) -> (R, u64) {
        SEEN.set(0);
        (act(), SEEN.get())
    }

    /// Waits for changes; `None` when there are none and there will be none.
    pub fn next_batch(&self) -> Option<Batch> {
        let mut rooms = self.lock();
        while !rooms.is_changed() {
            if self.closing.load(Ordering::Acquire) {
                return None;
            }
            self.awaited.store(true, Ordering::Release);
            rooms = self.changed.wait(rooms).unwrap_or_else(PoisonError::into_inner);
        }
        // Whoever was about to change something when this thread took the processor goes first: one sync of the
        // disk for both, and up to a tenth less work for each.
        drop(rooms);
        thread::yield_now();
        Some(self.lock().take_batch())
    }

    /// Undoes changes, and says so before anybody can make others.
    pub fn undo(&self, failed: Vec<Change>, error: &redb::Error, told: &Progress) {
        let why = match error {
            redb::Error::Io(error) => error.kind(),
            _ => std::io::ErrorKind::Other,
        };
        let _no_call = self.steady.write().unwrap_or_else(PoisonError::into_inner);
        let mut rooms = self.lock();
        let last = rooms.undo(failed);
        told.fail(last, why);
    }

    /// There will be no more changes.
    pub fn close(&self) {
        let rooms = self.lock();
        self.closing.store(true, Ordering::Release);
        drop(rooms);
        self.changed.notify_all();
    }
}

impl Rooms {
    fn is_changed(&self) -> bool {
        self.journal.as_ref().is_some_and(|journal| !journal.is_empty())
    }
}

impl Deref for Access<'_> {
    type Target = Rooms;

    fn deref(&self) -> &Rooms {
        &self.rooms
    }
}

impl DerefMut for Access<'_> {
    fn deref_mut(&mut self) -> &mut Rooms {
        &mut self.rooms
    }
}

impl Drop for Access<'_> {
    fn drop(&mut self) {
        SEEN.set(self.rooms.journal.as_ref().map_or(0, Journal::made));
        self.told.due = self.rooms.is_changed() && self.told.shared.awaited.swap(false, Ordering::AcqRel);
    }
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if self.due {
            self.shared.changed.notify_one();
        }
    }
}
