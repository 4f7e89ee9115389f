//! [`Answers`]: whoever submitted a change is told, in the order of the commits, while the writer writes the next group.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use super::writer::Pending;
use crate::store::{Error, Receipt};

/// So few are told by the writer itself: to wake another thread takes longer.
const FEW: usize = 16;

/// What became of a change.
pub(super) type Answer = (Box<Pending>, Result<Receipt, Error>);

/// Tells answers, one after the other.
pub(super) struct Answers {
    groups: Sender<Vec<Answer>>,
    /// Groups that the thread has not told to the end.
    untold: Arc<AtomicUsize>,
    thread: JoinHandle<()>,
}

impl Answers {
    /// Starts the thread for those that are many.
    pub(super) fn start() -> io::Result<Self> {
        let (groups, queue) = channel();
        let untold = Arc::new(AtomicUsize::new(0));
        let thread = thread::Builder::new()
            .name("durable-answer".to_owned())
            .spawn({
                let untold = Arc::clone(&untold);
                move || tell_all(&queue, &untold)
            })?;
        Ok(Self {
            groups,
            untold,
            thread,
        })
    }

    /// Tells these after all that came before. Here and now, if they are few and nothing waits.
    pub(super) fn tell(&self, answers: Vec<Answer>) {
        if answers.len() <= FEW && self.untold.load(Ordering::Acquire) == 0 {
            return tell(answers);
        }
        self.untold.fetch_add(1, Ordering::Relaxed);
        // Without the thread nobody could overtake.
        if let Err(answers) = self.groups.send(answers) {
            tell(answers.0);
        }
    }

    /// Returns when all are told.
    pub(super) fn finish(self) {
        let Self { groups, thread, .. } = self;
        drop(groups);
        let _ = thread.join();
    }
}

fn tell(answers: Vec<Answer>) {
    for (pending, result) in answers {
        pending.answer(result);
    }
}

fn tell_all(queue: &Receiver<Vec<Answer>>, untold: &AtomicUsize) {
    for answers in queue {
        tell(answers);
        untold.fetch_sub(1, Ordering::Release);
    }
}
