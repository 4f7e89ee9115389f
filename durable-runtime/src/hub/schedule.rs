//! Timer functions: one task for each sleeps to its next instant, runs it, and keeps in the store where it stands.
//!
//! A run is written down before it begins and once more when it has ended: what a crash cuts off is run again by the next start, and of
//! several hosts with one hub a single one begins it. The task waits for the run, so a run never meets itself.

mod position;
mod run;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures::FutureExt as _;
use tokio::sync::oneshot;

use self::position::{Due, Position};
use super::Engine;
use super::busy::{Busy, Work};
use crate::model::Timestamp;
use crate::store::{Change, Error, TimerRecord};
use crate::timer::ScheduledTimer;

/// After what the store did not take.
const PAUSE: Duration = Duration::from_secs(1);

/// Whether timer functions may begin, and in virtual time when the next one does.
#[derive(Debug, Default)]
pub(crate) struct Schedules {
    closed: Mutex<bool>,
    /// Those that wait for their instant, by name; only in virtual time.
    waiting: Mutex<BTreeMap<&'static str, Waiting>>,
}

/// A timer function that waits.
#[derive(Debug)]
struct Waiting {
    at: Timestamp,
    wake: oneshot::Sender<Work>,
}

impl Schedules {
    fn lock(&self) -> MutexGuard<'_, bool> {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<&'static str, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing begins any more.
    pub(super) fn close(&self) {
        *self.lock() = true;
    }

    /// The instant to which a virtual clock has to go for the next of them.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.waiting().values().map(|waiting| waiting.at).min()
    }

    /// Wakes those whose instant has come. They are under way from here on, not only once they are polled.
    pub(super) fn wake(&self, now: Timestamp, busy: &Busy) {
        let mut waiting = self.waiting();
        let due = waiting.iter().filter(|(_, waiting)| waiting.at <= now);
        let due: Vec<&'static str> = due.map(|(name, _)| *name).collect();
        for Waiting { wake, .. } in due.into_iter().filter_map(|name| waiting.remove(name)) {
            let _ = wake.send(busy.begin());
        }
    }

    /// Waits in virtual time.
    fn wait(&self, name: &'static str, at: Timestamp) -> oneshot::Receiver<Work> {
        let (wake, woken) = oneshot::channel();
        self.waiting().insert(name, Waiting { at, wake });
        woken
    }

    /// A run, from before it is written down until its end is; none if the hub is to stop.
    fn begin(&self, busy: &Busy) -> Option<Work> {
        let closed = self.lock();
        (!*closed).then(|| busy.begin())
    }
}

/// Takes up every timer function where it was left. `work` is under way, in virtual time, until each of them waits.
pub(super) async fn start(engine: Weak<Engine>, work: Option<Work>) {
    let mut stored = loop {
        let Some(strong) = engine.upgrade() else {
            return;
        };
        if strong.settings.timers.iter().next().is_none() {
            return;
        }
        match strong.store.timers().await {
            Ok(stored) => break stored,
            Err(error) => {
                tracing::warn!(%error, "the schedules of timer functions could not be read; they are read again");
            }
        }
        let Some(()) = pause(strong).await else {
            return;
        };
    };
    let Some(strong) = engine.upgrade() else {
        return;
    };
    for timer in strong.settings.timers.iter() {
        let name = timer.timer.name.to_lowercase();
        let own = stored.extract_if(.., |record| record.name == name).next();
        let position = Position::at_start(timer, own, strong.clock.now());
        let (engine, timer) = (Weak::clone(&engine), timer.clone());
        let work = work.as_ref().map(|_| strong.busy.begin());
        strong.runtime.spawn(keep(engine, timer, position, work));
    }
    drop(work);
}

/// Runs one timer function whenever it is due, until the hub stops. In virtual time it is under way, by what it is woken with, until it
/// waits again: no time passes in between.
async fn keep(
    engine: Weak<Engine>,
    timer: ScheduledTimer,
    mut position: Position,
    mut awake: Option<Work>,
) {
    let mut starting = true;
    loop {
        let Some(strong) = engine.upgrade() else {
            return;
        };
        if !timer.disabled {
            position.follow(strong.clock.now());
        }
        if position.is_changed() {
            let written = write(&strong, &timer, &mut position).await;
            if written == Written::Refused && pause(strong).await.is_none() {
                return;
            }
            continue;
        }
        if timer.disabled {
            return;
        }
        if let Some(end) = strong.pause.end() {
            let stopped = strong.stopped.clone();
            drop(strong);
            tokio::select! {
                () = end => continue,
                () = stopped.cancelled() => return,
            }
        }
        let now = strong.clock.now();
        let on_startup = std::mem::take(&mut starting) && timer.timer.spec.run_on_startup;
        let due = position.due(now);
        if let Some(due) = due.or_else(|| on_startup.then(|| position.on_startup(now))) {
            let Some(work) = strong.schedules.begin(&strong.busy) else {
                return;
            };
            let done = make(&strong, &timer, &mut position, due).await;
            drop(work);
            if done.is_none() && pause(strong).await.is_none() {
                return;
            }
            continue;
        }
        let clock = strong.virtual_clock();
        // A clock that stands still is moved by nobody who does not wake it.
        let wait = match clock.is_some_and(|clock| clock.stands_still()) {
            true => std::future::pending().boxed(),
            false => strong.clock.wait_until(position.next()),
        };
        let woken = clock.map(|_| {
            let schedules = &strong.schedules;
            schedules.wait(timer.timer.name, position.next())
        });
        drop(awake.take());
        let stopped = strong.stopped.clone();
        drop(strong);
        tokio::select! {
            biased;
            work = woken_by(woken) => awake = Some(work),
            () = wait => {}
            () = stopped.cancelled() => return,
        }
    }
}

/// Never, outside of virtual time.
async fn woken_by(woken: Option<oneshot::Receiver<Work>>) -> Work {
    match woken {
        Some(woken) => match woken.await {
            Ok(work) => work,
            Err(_) => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}

/// Makes a run: written down, run, written down. `None`: the store did not take it, or the hub stopped meanwhile.
async fn make(
    engine: &Arc<Engine>,
    timer: &ScheduledTimer,
    position: &mut Position,
    due: Due,
) -> Option<()> {
    let name = timer.timer.name;
    if position.deliveries() >= engine.settings.max_deliveries {
        tracing::error!(
            function = name,
            scheduled = %due.scheduled.to_utc(),
            "the timer function was begun {} times without an end: each time its host went down; it is left alone until its next instant",
            position.deliveries()
        );
        position.skip(engine.clock.now());
        return Some(());
    }
    if !due.on_startup {
        position.begin();
        match write(engine, timer, position).await {
            Written::Done => {}
            Written::Lost => return Some(()),
            Written::Refused => {
                position.undo();
                return None;
            }
        }
    }
    let info = position.info(&due, engine.clock.now());
    if run::run(engine, timer, info).await.is_none() {
        // A hub that was not closed in order is as good as crashed: so it counts.
        if !due.on_startup && engine.closing_since.get().is_some() {
            position.give_back();
            write(engine, timer, position).await;
        }
        return None;
    }
    position.end(&due, engine.clock.now());
    // What is not taken now is tried again before the next run.
    write(engine, timer, position).await;
    Some(())
}

/// What became of [`write`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    Done,
    /// Another host wrote in between: the run is its own.
    Lost,
    /// The store does not take it now.
    Refused,
}

/// Writes down where it stands.
async fn write(engine: &Engine, timer: &ScheduledTimer, position: &mut Position) -> Written {
    let stored = match submit(engine, position.record().clone()).await {
        Ok(()) => {
            position.written();
            return Written::Done;
        }
        Err(Error::Conflict(_)) => engine.store.timers().await,
        Err(error) => Err(error),
    };
    let name = timer.timer.name;
    match stored {
        Ok(stored) => {
            let own = |record: &TimerRecord| record.name == position.record().name;
            if let Some(own) = stored.into_iter().find(own) {
                position.lose(own, engine.clock.now());
            }
            tracing::debug!(function = name, "another host runs the timer function");
            Written::Lost
        }
        Err(error) => {
            tracing::warn!(function = name, %error, "where the timer function stands could not be written down; it is tried again");
            Written::Refused
        }
    }
}

async fn submit(engine: &Engine, record: TimerRecord) -> Result<(), Error> {
    let (answer, answered) = oneshot::channel();
    let done = Box::new(move |result: Result<_, Error>| {
        let _ = answer.send(result.map(|_| ()));
    });
    engine.store.submit(Change::Timer(record), done);
    let closed = |_| Err(Error::Unavailable("the store is closed".to_owned()));
    answered.await.unwrap_or_else(closed)
}

/// Waits a moment; `None` if the hub has stopped.
async fn pause(engine: Arc<Engine>) -> Option<()> {
    let until: Timestamp = engine.clock.now().plus(PAUSE);
    let wait = engine.clock.wait_until(until);
    let stopped = engine.stopped.clone();
    drop(engine);
    tokio::select! {
        () = wait => Some(()),
        () = stopped.cancelled() => None,
    }
}
