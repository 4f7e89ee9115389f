//! The root waker: tells the engine's wakes from foreign ones (spec T6).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Wake;

thread_local! {
    static THREAD: u64 = {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        NEXT.fetch_add(1, Ordering::Relaxed)
    };
}

/// Called when something that is not durable wakes an orchestrator.
pub(crate) type ForeignWake = Arc<dyn Fn() + Send + Sync>;

/// Wakes by the thread that runs the turn are legal; any other is foreign.
pub(super) struct RootWaker {
    woken: AtomicBool,
    foreign: AtomicBool,
    /// The thread that runs a turn now; 0: none.
    turn: AtomicU64,
    unloaded: AtomicBool,
    on_foreign: ForeignWake,
}

impl RootWaker {
    pub(super) fn new(on_foreign: ForeignWake) -> Arc<Self> {
        Arc::new(Self {
            woken: AtomicBool::new(false),
            foreign: AtomicBool::new(false),
            turn: AtomicU64::new(0),
            unloaded: AtomicBool::new(false),
            on_foreign,
        })
    }

    /// This thread runs a turn until [`Self::leave`].
    pub(super) fn enter(&self) {
        self.turn.store(THREAD.with(|id| *id), Ordering::Release);
    }

    pub(super) fn leave(&self) {
        self.turn.store(0, Ordering::Release);
    }

    /// Whether it was woken since the last look.
    pub(super) fn take_woken(&self) -> bool {
        self.woken.swap(false, Ordering::AcqRel)
    }

    /// Whether something foreign ever woke it.
    pub(super) fn is_foreign(&self) -> bool {
        self.foreign.load(Ordering::Acquire)
    }

    /// From now on nobody cares.
    pub(super) fn unload(&self) {
        self.unloaded.store(true, Ordering::Release);
    }
}

impl Wake for RootWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.turn.load(Ordering::Acquire) == THREAD.with(|id| *id) {
            self.woken.store(true, Ordering::Release);
        } else if !self.unloaded.load(Ordering::Acquire)
            && !self.foreign.swap(true, Ordering::AcqRel)
        {
            (self.on_foreign)();
        }
    }
}
