//! Lines that are written by a thread of their own, many with one call of the system: a busy endpoint
//! would otherwise spend a tenth of its time on telling what it does.

use std::{
    io::{self, Write},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

/// How long lines are gathered. Whoever follows them does not notice.
const GATHERED_FOR: Duration = Duration::from_millis(2);
/// Bytes that may wait; whoever brings more waits, so that a slow disk slows calls instead of filling memory.
const WAITING: usize = 1 << 20;

/// Writes lines. Finishing or dropping it writes what still waits.
pub struct Lines {
    shared: Arc<Shared>,
    /// Disconnected when the thread that writes has ended.
    ended: Mutex<Option<Receiver<()>>>,
    patience: Duration,
    refused: Arc<dyn Fn(io::Error) + Send + Sync>,
}

/// A sink that may have taken a line by half, before its disk was full.
struct LineSink<W> {
    sink: W,
    is_cut: bool,
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
    /// How often the sink was given all that waited.
    taken: u64,
    /// The sink has taken nothing for so long that nobody waits for it any more.
    stalled: bool,
}

impl Lines {
    /// Writes to `sink` from now on. What it refuses is lost, and `refused` is told why. So is what comes while
    /// the sink takes nothing for longer than `patience`, such as a pipe that nobody reads: whoever brings lines
    /// answers calls, and must not stand still with it.
    pub fn to(
        sink: impl Write + Send + 'static,
        patience: Duration,
        refused: impl Fn(io::Error) + Send + Sync + 'static,
    ) -> Self {
        Self::cleaned(sink, patience, |lines| lines, refused)
    }

    /// The same with lines that are changed by the thread that writes: `clean` is given whole lines, some at a time.
    pub fn cleaned(
        sink: impl Write + Send + 'static,
        patience: Duration,
        clean: impl Fn(Vec<u8>) -> Vec<u8> + Send + 'static,
        refused: impl Fn(io::Error) + Send + Sync + 'static,
    ) -> Self {
        let shared = Arc::new(Shared::default());
        let refused: Arc<dyn Fn(io::Error) + Send + Sync> = Arc::new(refused);
        let (end, ended) = mpsc::channel::<()>();
        let (its, tell) = (Arc::clone(&shared), Arc::clone(&refused));
        thread::spawn(move || {
            let _end = end;
            let mut refuses = false;
            let mut sink = LineSink { sink, is_cut: false };
            while let Some(bytes) = its.take() {
                let written = sink.write_lines(&clean(bytes));
                // A disk that is full refuses hundreds of times a second what it refuses once.
                let told = std::mem::replace(&mut refuses, written.is_err());
                if let Err(error) = written
                    && !told
                {
                    tell(error);
                }
            }
        });
        Self { shared, ended: Mutex::new(Some(ended)), patience, refused }
    }

    /// Takes one line, without its end. Lines appear in the order in which they are taken.
    pub fn push(&self, line: &str) {
        let mut waiting = self.shared.lock();
        if waiting.has_no_room() {
            waiting = self.wait_for_room(waiting);
            if waiting.has_no_room() {
                return;
            }
        }
        let was_empty = waiting.bytes.is_empty();
        waiting.bytes.extend_from_slice(line.as_bytes());
        waiting.bytes.push(b'\n');
        drop(waiting);
        if was_empty {
            self.shared.changed.notify_all();
        }
    }

    /// Returns when there is room, or when the sink is waited for no longer.
    fn wait_for_room<'a>(&self, mut waiting: MutexGuard<'a, Waiting>) -> MutexGuard<'a, Waiting> {
        while waiting.has_no_room() && !waiting.stalled {
            let taken = waiting.taken;
            let unmoved =
                |waiting: &mut Waiting| waiting.has_no_room() && !waiting.stalled && waiting.taken == taken;
            let waited = self.shared.changed.wait_timeout_while(waiting, self.patience, unmoved);
            (waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
            if unmoved(&mut waiting) {
                waiting.stalled = true;
                self.shared.changed.notify_all();
                let (refused, why) = (Arc::clone(&self.refused), self.stalled());
                // Where it tells may be what nobody reads.
                thread::spawn(move || refused(why));
            }
        }
        waiting
    }

    /// Returns when everything is written that was taken by now, or the sink takes nothing. Later lines are not
    /// written.
    pub fn finish(&self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner).take();
        let has_not =
            |ended: Receiver<()>| ended.recv_timeout(self.patience) == Err(RecvTimeoutError::Timeout);
        // Of a sink that has stalled it was told already.
        if ended.is_some_and(has_not) && !self.shared.lock().stalled {
            (self.refused)(self.stalled());
        }
    }

    fn stalled(&self) -> io::Error {
        let why = format!("nothing was taken for {} s", self.patience.as_secs_f32());
        io::Error::new(io::ErrorKind::TimedOut, why)
    }
}

impl<W: Write> LineSink<W> {
    /// Writes whole lines. What was cut stays a line of its own, so that it spoils no other.
    fn write_lines(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.is_cut {
            self.write_all(b"\n")?;
        }
        self.write_all(bytes)?;
        self.flush()
    }
}

impl<W: Write> Write for LineSink<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.sink.write(bytes)?;
        if let Some(last) = bytes.get(..taken).and_then(<[u8]>::last) {
            self.is_cut = *last != b'\n';
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

impl Waiting {
    fn has_no_room(&self) -> bool {
        self.bytes.len() > WAITING && !self.closed
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
        waiting.taken += 1;
        waiting.stalled = false;
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

    const PATIENCE: Duration = Duration::from_secs(60);

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
        let lines = Lines::to(sink.clone(), PATIENCE, |error| panic!("{error}"));
        let expected: String = (0..10_000).map(|number| format!("line {number}\n")).collect();
        (0..10_000).for_each(|number| lines.push(&format!("line {number}")));
        drop(lines);
        assert_eq!(String::from_utf8(sink.written.lock().unwrap().clone()).unwrap(), expected);
    }

    #[test]
    fn lines_of_many_are_not_mixed_and_a_slow_sink_is_waited_for() {
        let sink = Sink { slow: true, ..Sink::default() };
        let lines = Lines::to(sink.clone(), PATIENCE, |error| panic!("{error}"));
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
    fn what_the_sink_refuses_is_told_once() {
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
        let lines = Lines::to(Full, PATIENCE, move |error| its.lock().unwrap().push(error.kind()));
        for _ in 0..5 {
            lines.push("lost");
            thread::sleep(GATHERED_FOR * 5);
        }
        drop(lines);
        assert_eq!(*told.lock().unwrap(), [io::ErrorKind::StorageFull]);
    }

    /// A disk that was full and is not any more.
    #[test]
    fn a_line_that_was_cut_spoils_no_other() {
        struct Filling(Sink, usize, bool);
        impl Write for Filling {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                let (room, is_full) = (self.1.min(bytes.len()), std::mem::take(&mut self.2));
                match bytes.get(..room) {
                    Some(taken) if !is_full => {
                        self.2 = room < bytes.len();
                        self.1 = if self.2 { usize::MAX } else { self.1 - room };
                        self.0.write(taken)
                    }
                    _ => Err(io::ErrorKind::StorageFull.into()),
                }
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        for (room, left) in
            [(2, "on\nthree\n"), (3, "one\nthree\n"), (4, "one\nthree\n"), (6, "one\ntw\nthree\n")]
        {
            let (sink, (told, telling)) = (Sink::default(), mpsc::channel());
            let filling = Filling(sink.clone(), room, false);
            let lines = Lines::to(filling, PATIENCE, move |error| told.send(error.kind()).unwrap());
            lines.push("one\ntwo");
            assert_eq!(telling.recv(), Ok(io::ErrorKind::StorageFull), "{room}");
            lines.push("three");
            drop(lines);
            assert_eq!(String::from_utf8(sink.written.lock().unwrap().clone()).unwrap(), left, "{room}");
        }
    }

    #[test]
    fn a_sink_that_takes_nothing_is_not_waited_for_and_is_written_to_again_when_it_does() {
        struct Stuck(mpsc::Receiver<()>, Sink);
        impl Write for Stuck {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                // Until it is let go.
                let _ = self.0.recv();
                self.1.write(bytes)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let ((let_go, until), sink) = (mpsc::channel(), Sink::default());
        let (told, telling) = mpsc::channel();
        let lines = Lines::to(Stuck(until, sink.clone()), Duration::from_millis(50), move |error| {
            told.send(error.to_string()).unwrap();
        });
        let long = "x".repeat(100_000);
        (0..100).for_each(|_| lines.push(&long));
        assert_eq!(telling.recv().unwrap(), "nothing was taken for 0.05 s");
        assert!(lines.shared.lock().bytes.len() <= WAITING + long.len() + 1);
        drop(let_go);
        while !lines.shared.lock().bytes.is_empty() {
            thread::sleep(GATHERED_FOR);
        }
        lines.push("the last");
        drop(lines);
        let written = String::from_utf8(sink.written.lock().unwrap().clone()).unwrap();
        assert!(
            written.lines().all(|line| line == long || line == "the last") && written.ends_with("the last\n")
        );
        assert!(telling.try_recv().is_err(), "it is told once");
    }

    #[test]
    fn it_is_finished_also_when_the_sink_takes_nothing() {
        struct Never;
        impl Write for Never {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                loop {
                    thread::park();
                }
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (told, telling) = mpsc::channel();
        let lines =
            Lines::to(Never, Duration::from_millis(50), move |error| told.send(error.kind()).unwrap());
        lines.push("lost");
        drop(lines);
        assert_eq!(telling.try_recv(), Ok(io::ErrorKind::TimedOut));
    }
}
