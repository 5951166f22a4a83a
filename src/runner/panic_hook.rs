//! The process's panic hook, which cucumber silences while it runs, and for good when it is cut short.

use std::{
    panic::{self, PanicHookInfo},
    sync::{Mutex, MutexGuard, PoisonError},
};

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Sync + Send + 'static>;

struct Kept {
    plays: usize,
    hook: Option<Hook>,
}

static KEPT: Mutex<Kept> = Mutex::new(Kept { plays: 0, hook: None });

/// Keeps the hook for as long as a play lasts. Plays at the same time would take each other's silence for
/// the hook to put back: the first to begin keeps it, the last to end puts it back.
pub struct KeptHook(());

impl KeptHook {
    pub fn new() -> Self {
        let mut kept = kept();
        if kept.plays == 0 {
            kept.hook = Some(panic::take_hook());
        }
        kept.plays += 1;
        Self(())
    }
}

impl Drop for KeptHook {
    fn drop(&mut self) {
        let mut kept = kept();
        kept.plays -= 1;
        // A thread that panics must not set the hook.
        if kept.plays == 0
            && !std::thread::panicking()
            && let Some(hook) = kept.hook.take()
        {
            panic::set_hook(hook);
        }
    }
}

fn kept() -> MutexGuard<'static, Kept> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}
