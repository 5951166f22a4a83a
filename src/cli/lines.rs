//! Lines that are written by a thread of their own, many with one call of the system: a busy endpoint
//! would otherwise spend a tenth of its time on telling what it does.

use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

/// How long lines are gathered. Whoever follows them does not notice.
const GATHERED_FOR: Duration = Duration::from_millis(2);
/// Bytes that may wait; whoever brings more waits, so that a slow disk slows calls instead of filling memory.
const WAITING: usize = 1 << 20;

/// Writes lines. Finishing or dropping it writes what still waits.
pub struct Lines {
    shared: Arc<Shared>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    closed: bool,
}

impl Lines {
    /// Writes to `sink` from now on. What it refuses is lost, and `refused` is told why.
    pub fn to(mut sink: impl Write + Send + 'static, refused: impl Fn(io::Error) + Send + 'static) -> Self {
        let shared = Arc::new(Shared::default());
        let its = Arc::clone(&shared);
        let writer = thread::spawn(move || {
            while let Some(bytes) = its.take() {
                if let Err(error) = sink.write_all(&bytes).and_then(|()| sink.flush()) {
                    refused(error);
                }
            }
        });
        Self { shared, writer: Mutex::new(Some(writer)) }
    }

    /// Takes one line, without its end. Lines appear in the order in which they are taken.
    pub fn push(&self, line: &str) {
        let mut waiting = self.shared.lock();
        while waiting.bytes.len() > WAITING && !waiting.closed {
            waiting = self.shared.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        let was_empty = waiting.bytes.is_empty();
        waiting.bytes.extend_from_slice(line.as_bytes());
        waiting.bytes.push(b'\n');
        drop(waiting);
        if was_empty {
            self.shared.changed.notify_all();
        }
    }

    /// Returns when everything is written that was taken by now. Later lines are not written.
    pub fn finish(&self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
        if let Some(writer) = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // It ends when nothing waits any more; had it panicked, there would be nothing left to do.
            let _ = writer.join();
        }
    }
}

impl Shared {
    /// All that waits, once something does; `None` when nothing ever will again.
    fn take(&self) -> Option<Vec<u8>> {
        let mut waiting = self.lock();
        while waiting.bytes.is_empty() {
            if waiting.closed {
                return None;
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        if !waiting.closed {
            drop(waiting);
            thread::sleep(GATHERED_FOR);
            waiting = self.lock();
        }
        let bytes = std::mem::take(&mut waiting.bytes);
        drop(waiting);
        self.changed.notify_all();
        Some(bytes)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Default)]
    struct Sink {
        written: Arc<Mutex<Vec<u8>>>,
        slow: bool,
    }

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.slow {
                thread::sleep(Duration::from_millis(1));
            }
            self.written.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_line_is_written_whole_and_in_order_when_the_lines_are_dropped() {
        let sink = Sink::default();
        let lines = Lines::to(sink.clone(), |error| panic!("{error}"));
        let expected: String = (0..10_000).map(|number| format!("line {number}\n")).collect();
        (0..10_000).for_each(|number| lines.push(&format!("line {number}")));
        drop(lines);
        assert_eq!(String::from_utf8(sink.written.lock().unwrap().clone()).unwrap(), expected);
    }

    #[test]
    fn lines_of_many_are_not_mixed_and_a_slow_sink_is_waited_for() {
        let sink = Sink { slow: true, ..Sink::default() };
        let lines = Lines::to(sink.clone(), |error| panic!("{error}"));
        let long = "x".repeat(100_000);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..20).for_each(|_| lines.push(&long)));
            }
        });
        assert!(lines.shared.lock().bytes.len() <= WAITING + long.len() + 1);
        drop(lines);
        let written = String::from_utf8(sink.written.lock().unwrap().clone()).unwrap();
        assert_eq!(written.lines().count(), 80);
        assert!(written.lines().all(|line| line == long));
    }

    #[test]
    fn what_the_sink_refuses_is_told() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let told = Arc::new(Mutex::new(Vec::new()));
        let its = Arc::clone(&told);
        let lines = Lines::to(Full, move |error| its.lock().unwrap().push(error.kind()));
        lines.push("lost");
        drop(lines);
        assert_eq!(*told.lock().unwrap(), [io::ErrorKind::StorageFull]);
    }
}
