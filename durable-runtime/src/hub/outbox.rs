//! The outbox: what others are to be told of orchestrations, written with the turn that it tells of and sent once that is durable.
//!
//! The steps of one instance are told one after the other, in their order; those of different instances side by side. A record stays
//! until it was taken or is given up, so that a crash repeats a telling and never loses one.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream;
use tokio::sync::Notify;
use uuid::Uuid;

use super::Engine;
use super::busy::Work;
use super::notifications::{Notification, Notifications, Told};
use crate::client::ClientError;
use crate::model::{LifecycleEvent, LifecycleStep, Timestamp};
use crate::store::{Change, Ids, OutboxRecord};

/// Records that are read at one time.
const PAGE: usize = 1_000;
/// Instances of which something is told at one time.
const AT_ONCE: usize = 16;
/// After a database that gives nothing.
const PAUSE: Duration = Duration::from_secs(1);
/// Bytes of a reason that are kept: receivers have limits, and the whole is in the instance's status.
const MAX_REASON: usize = 16 << 10;

/// Wakes the sender.
#[derive(Debug, Default)]
pub(super) struct Outbox(Notify);

impl Outbox {
    /// Something was put in.
    pub(super) fn wake(&self) {
        self.0.notify_one();
    }
}

/// Which steps a turn writes down.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watched<'a>(pub(super) Option<&'a Notifications>);

impl Watched<'_> {
    /// The record of a step, if anybody wants to know.
    pub(super) fn record(
        self,
        ids: &Ids,
        step: LifecycleStep,
        (instance_id, function): (&Arc<str>, &Arc<str>),
        reason: Option<&str>,
        at: Timestamp,
    ) -> Option<OutboxRecord> {
        self.0.filter(|wanted| wanted.steps.contains(&step))?;
        let mut reason = reason.unwrap_or_default().to_owned();
        let mut end = reason.len().min(MAX_REASON);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        reason.truncate(end);
        let event = LifecycleEvent {
            id: Uuid::new_v4(),
            step,
            function: Arc::clone(function),
            reason,
            at,
        };
        Some(OutboxRecord {
            id: ids.next(),
            instance_id: Arc::clone(instance_id),
            event,
        })
    }
}

/// A record that was not taken: how often it was told, and when it is told again.
#[derive(Debug, Clone, Copy)]
struct Tried {
    times: u32,
    again: Timestamp,
}

/// Records by id.
type Waiting = HashMap<i64, Tried>;

/// Sends in the background until the hub stops. What is left is sent by the next host.
pub(super) async fn run(engine: Weak<Engine>) {
    let mut waiting = Waiting::new();
    loop {
        let Some(strong) = engine.upgrade() else {
            return;
        };
        let Some(settings) = strong.settings.notifications.clone() else {
            return;
        };
        if strong.is_closing() {
            return;
        }
        let until = match pass(&strong, &settings, &mut waiting).await {
            Ok(Pass::Again) => continue,
            Ok(Pass::Until(until)) => until,
            Err(error) => {
                tracing::warn!(%error, "what is to be told of orchestrations could not be looked up or written down; it is tried again");
                Some(strong.clock.now().plus(PAUSE))
            }
        };
        let wait = until.map(|at| strong.clock.wait_until(at));
        let wait = async {
            match wait {
                Some(wait) => wait.await,
                None => std::future::pending().await,
            }
        };
        let stopped = strong.stopped.clone();
        let outbox = Arc::clone(&strong.outbox);
        drop(strong);
        tokio::select! {
            () = wait => {}
            () = outbox.0.notified() => {}
            () = stopped.cancelled() => return,
        }
    }
}

/// What a look at the outbox came to.
enum Pass {
    /// There may be more.
    Again,
    /// Nothing can be sent before then, or before something is put in.
    Until(Option<Timestamp>),
}

async fn pass(
    engine: &Arc<Engine>,
    settings: &Notifications,
    waiting: &mut Waiting,
) -> Result<Pass, ClientError> {
    let page = engine.store.outbox(PAGE).await;
    let page = page.map_err(super::client_error)?;
    let now = engine.clock.now();
    let mut queues: BTreeMap<Arc<str>, VecDeque<OutboxRecord>> = BTreeMap::new();
    for record in page {
        let queue = queues.entry(Arc::clone(&record.instance_id)).or_default();
        queue.push_back(record);
    }
    let mut next = None;
    let mut ready = Vec::new();
    for queue in queues.into_values() {
        let head = queue.front().and_then(|first| waiting.get(&first.id));
        match head.copied() {
            Some(tried) if tried.again > now => {
                next = Some(next.map_or(tried.again, |next: Timestamp| next.min(tried.again)));
            }
            tried => ready.push((queue, tried.map_or(0, |tried| tried.times))),
        }
    }
    if ready.is_empty() {
        return Ok(Pass::Until(next));
    }
    let told = ready
        .into_iter()
        .map(|(queue, times)| tell_all(engine, settings, queue, times));
    let mut told = stream::iter(told).buffer_unordered(AT_ONCE);
    while let Some(outcome) = told.next().await {
        match outcome {
            Outcome::Done(ids) => waiting.retain(|id, _| !ids.contains(id)),
            Outcome::Later { done, id, times } => {
                waiting.retain(|id, _| !done.contains(id));
                let again = engine.clock.now().plus(settings.interval);
                waiting.insert(id, Tried { times, again });
            }
        }
    }
    Ok(Pass::Again)
}

/// What became of the records of one instance.
enum Outcome {
    Done(Vec<i64>),
    /// One is to be told again, and what follows it after that.
    Later {
        done: Vec<i64>,
        id: i64,
        times: u32,
    },
}

/// Tells the steps of one instance, in their order, as far as they are taken.
async fn tell_all(
    engine: &Arc<Engine>,
    settings: &Notifications,
    queue: VecDeque<OutboxRecord>,
    mut times: u32,
) -> Outcome {
    let mut done = Vec::new();
    for record in queue {
        if engine.is_closing() {
            break;
        }
        // A host that stops waits for it and until it is written down, within its grace period.
        let work = engine.busy.begin();
        let notification = Notification {
            hub_name: &engine.settings.hub_name,
            instance_id: &record.instance_id,
            event: &record.event,
        };
        let told = tokio::select! {
            told = settings.notifier.notify(notification) => told,
            () = engine.stopped.cancelled() => break,
        };
        times += 1;
        match told {
            Told::Taken => {}
            Told::Later(why) if times <= settings.retries => {
                let (instance_id, step) = (&*record.instance_id, record.event.step);
                tracing::warn!(
                    instance_id,
                    ?step,
                    times,
                    why,
                    "a lifecycle notification was not taken; it is sent again"
                );
                let id = record.id;
                return Outcome::Later { done, id, times };
            }
            Told::Later(why) | Told::Never(why) => give_up(&record, times, &why),
        }
        if !remove(engine, record.id, work).await {
            break;
        }
        done.push(record.id);
        times = 0;
    }
    Outcome::Done(done)
}

/// Writes down that it was told. While that cannot be written it is not told again; whether it was written before the hub stopped.
async fn remove(engine: &Arc<Engine>, id: i64, telling: Work) -> bool {
    let mut telling = Some(telling);
    loop {
        let sent = engine.submit_then(Change::Sent(vec![id]), |_| ());
        let sent = sent.await;
        // Not before: a host that stops in between would have told it and not know.
        telling.take();
        match sent {
            Ok(_) => return true,
            Err(_) if engine.is_closing() => return false,
            Err(error) => {
                tracing::warn!(%error, "it could not be written down that a lifecycle notification was sent; it is tried again");
                engine
                    .clock
                    .wait_until(engine.clock.now().plus(PAUSE))
                    .await;
            }
        }
    }
}

fn give_up(record: &OutboxRecord, times: u32, why: &str) {
    tracing::error!(
        instance_id = &*record.instance_id,
        function = &*record.event.function,
        step = ?record.event.step,
        times,
        why,
        "a lifecycle notification was not taken and is given up"
    );
}
