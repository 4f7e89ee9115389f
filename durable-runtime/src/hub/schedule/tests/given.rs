//! A hub with timer functions, its clock, and what the functions report.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use tokio::sync::{Semaphore, mpsc, watch};

use crate::client::DurableClient;
use crate::error::Error;
use crate::hub::clock::Clock;
use crate::hub::{Hub, Options, Settings};
use crate::model::Timestamp;
use crate::registry::{Kind, Registration, Registry, StateSpec, TimerRun, TimerSpec};
use crate::state::States;
use crate::store::sqlite::{Options as SqliteOptions, SqliteStore};
use crate::store::{Store, TimerRecord};
use crate::timer::{TimerInfo, TimerInvocation, Timetable};

pub(super) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A clock that stands still until it is set.
#[derive(Debug)]
pub(super) struct HandClock {
    now: watch::Sender<Timestamp>,
    /// Until when somebody sleeps.
    slept: watch::Sender<Vec<Timestamp>>,
}

impl HandClock {
    fn at(text: &str) -> Arc<Self> {
        Arc::new(Self {
            now: watch::Sender::new(at(text).into()),
            slept: watch::Sender::default(),
        })
    }

    pub(super) fn set(&self, text: &str) {
        self.slept.send_modify(Vec::clear);
        self.now.send_replace(at(text).into());
    }

    /// Resolves when somebody sleeps until that instant.
    pub(super) async fn is_awaited_until(&self, text: &str) {
        let until: Timestamp = at(text).into();
        let mut slept = self.slept.subscribe();
        slept.wait_for(|all| all.contains(&until)).await.unwrap();
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    fn wait_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let mut now = self.now.subscribe();
        self.slept.send_modify(|all| all.push(at));
        Box::pin(async move {
            let _ = now.wait_for(|now| *now >= at).await;
        })
    }
}

/// What a function reports when it begins, and what lets it end.
#[derive(Debug, Clone)]
struct Desk {
    reports: mpsc::UnboundedSender<(&'static str, TimerInfo)>,
    /// A permit for each run of `held` or `stuck` that may end.
    leave: Arc<Semaphore>,
}

fn report(call: &TimerInvocation) -> Result<Desk, Error> {
    let desk = Desk::clone(&*call.state::<Desk>()?);
    let _ = desk.reports.send((call.function, call.info()));
    Ok(desk)
}

fn plain(call: TimerInvocation) -> Result<(), Error> {
    report(&call).map(|_| ())
}

/// Goes on until it may leave.
fn held(call: TimerInvocation) -> BoxFuture<'static, Result<(), Error>> {
    Box::pin(async move {
        let desk = report(&call)?;
        desk.leave.acquire().await?.forget();
        Ok(())
    })
}

fn fails(call: TimerInvocation) -> BoxFuture<'static, Result<(), Error>> {
    Box::pin(async move {
        report(&call)?;
        Err(Error::msg("it broke"))
    })
}

fn panics(call: TimerInvocation) -> BoxFuture<'static, Result<(), Error>> {
    let _ = report(&call);
    panic!("out of cheese")
}

pub(super) const PLAIN: TimerRun = TimerRun::Blocking(plain);
pub(super) const HELD: TimerRun = TimerRun::Async(held);
pub(super) const FAILS: TimerRun = TimerRun::Async(fails);
pub(super) const PANICS: TimerRun = TimerRun::Async(panics);

const STATES: &[StateSpec] = &[StateSpec::of::<Desk>()];

/// A timer function named by its kind, on a schedule.
pub(super) const fn timer(
    name: &'static str,
    schedule: &'static str,
    run: TimerRun,
) -> Registration {
    Registration {
        name,
        module: module_path!(),
        file: file!(),
        line: line!(),
        kind: Kind::Timer(TimerSpec {
            schedule,
            run_on_startup: false,
            states: STATES,
            run,
        }),
    }
}

pub(super) fn on_startup(mut registration: Registration) -> Registration {
    if let Kind::Timer(spec) = &mut registration.kind {
        spec.run_on_startup = true;
    }
    registration
}

/// A running hub.
pub(super) struct Host {
    pub(super) clock: Arc<HandClock>,
    pub(super) store: Arc<SqliteStore>,
    pub(super) leave: Arc<Semaphore>,
    hub: Hub,
    reports: mpsc::UnboundedReceiver<(&'static str, TimerInfo)>,
}

impl Host {
    /// On the hub in that folder, at that time.
    pub(super) fn start(folder: &Path, now: &str, timers: &[Registration]) -> Self {
        Self::with_settings(folder, now, timers, |_| None)
    }

    pub(super) fn with_settings(
        folder: &Path,
        now: &str,
        timers: &[Registration],
        setting: impl Fn(&str) -> Option<String>,
    ) -> Self {
        Self::open(folder, now, timers, setting, |_| ())
    }

    /// One that waits for nothing when it stops.
    pub(super) fn hasty(folder: &Path, now: &str, timers: &[Registration]) -> Self {
        let hasty = |settings: &mut Settings| settings.grace_period = Duration::ZERO;
        Self::open(folder, now, timers, |_| None, hasty)
    }

    fn open(
        folder: &Path,
        now: &str,
        timers: &[Registration],
        setting: impl Fn(&str) -> Option<String>,
        adjust: impl FnOnce(&mut Settings),
    ) -> Self {
        let store = SqliteStore::open(SqliteOptions::new(folder.join("hub.db"))).unwrap();
        let store = Arc::new(store);
        let (reports, received) = mpsc::unbounded_channel();
        let leave = Arc::new(Semaphore::new(0));
        let mut states = States::default();
        let desk = Desk {
            reports,
            leave: Arc::clone(&leave),
        };
        states.insert(desk);
        let registry = Registry::of(timers.iter()).unwrap();
        let mut settings = Settings {
            timers: Timetable::of(&registry, setting).unwrap(),
            ..Settings::default()
        };
        adjust(&mut settings);
        let options = Options {
            registry,
            states: Arc::new(states),
            store: Arc::clone(&store) as Arc<dyn Store>,
            settings,
        };
        let clock = HandClock::at(now);
        let hub = Hub::start_by(
            Arc::clone(&clock) as Arc<dyn Clock>,
            options,
            &DurableClient::unbound(),
        )
        .unwrap();
        Self {
            clock,
            store,
            leave,
            hub,
            reports: received,
        }
    }

    /// The next run that began.
    pub(super) async fn run(&mut self) -> TimerInfo {
        self.named_run().await.1
    }

    pub(super) async fn named_run(&mut self) -> (&'static str, TimerInfo) {
        self.reports.recv().await.unwrap()
    }

    /// Whether nothing was reported that was not asked for.
    pub(super) fn is_quiet(&mut self) -> bool {
        self.reports.try_recv().is_err()
    }

    /// As a host that is drained or offline, or no longer is.
    pub(super) fn pause(&self, paused: bool) {
        self.hub.engine().pause(paused);
    }

    /// Where the only timer stands.
    pub(super) async fn record(&self) -> TimerRecord {
        self.store.timers().await.unwrap().remove(0)
    }

    pub(super) async fn stop(self) {
        self.hub.shutdown().await;
    }

    /// As a crash would.
    pub(super) async fn crash(self) {
        let Self { hub, store, .. } = self;
        drop(hub);
        store.close().await;
    }

    /// Begins to stop; what runs holds it up.
    pub(super) fn stopping(self) -> impl Future<Output = ()> {
        let Self { hub, .. } = self;
        async move { hub.shutdown().await }
    }
}

/// Whether a future is not through yet.
pub(super) fn is_pending<F: Future + Unpin>(future: &mut F) -> bool {
    futures::FutureExt::now_or_never(future).is_none()
}
