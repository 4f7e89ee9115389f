//! Activities: who runs next, and how one is run. At most so many at a time, round-robin between instances, each bounded in time.

mod http;
mod quick;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tracing::Instrument;

use self::quick::{Quick, Streak};
use super::Engine;
use super::busy::Work;
use super::cell::{Cell, Inbound};
use super::resident::ActivityTask;
use super::speculation::Ahead;
use super::trial::Alone;
use super::{turns, user_code};
use crate::activity::{ActivityContext, Call};
use crate::client::{PendingActivity, QueuedFor};
use crate::durable_http::{HTTP_ACTIVITY, HttpFailure};
use crate::function::{ActivityInvocation, Surroundings};
use crate::model::{FailureDetails, HistoryEvent, Payload};
use crate::registry::{Activity, ActivityRun, Rate};
use crate::stop::Stop;
use crate::store::InstanceRecord;

/// One delivery of one activity.
pub(crate) struct Job {
    pub(crate) cell: Arc<Cell>,
    pub(crate) task: ActivityTask,
    pub(crate) stop: Stop,
    /// If it starts before its turn is durable.
    pub(crate) ahead: Option<Arc<Ahead>>,
    /// If it runs alone because it may have taken a host down.
    pub(crate) alone: Option<Alone>,
}

/// What waits for a slot.
pub(crate) struct Activities {
    state: Mutex<Queue>,
    limit: usize,
    /// Functions with a limit of their own: those of [`Queue::limits`].
    limited: BTreeSet<&'static str>,
    quick: Quick,
}

#[derive(Default)]
struct Queue {
    /// Slots taken.
    running: usize,
    /// Instances with something in `waiting`, each once, in turn.
    ring: VecDeque<Arc<str>>,
    waiting: HashMap<Arc<str>, VecDeque<Job>>,
    /// Limits of single functions, by name.
    limits: BTreeMap<&'static str, Limit>,
    /// When a slot is started for what waits for a rate.
    alarm: Option<Instant>,
    closed: bool,
    /// Nothing starts for now: the host is being drained.
    paused: bool,
}

/// What bounds one function: `max_concurrency`, `rate`, and whether it is enabled at all.
struct Limit {
    /// The settings disable the function: what it has to do waits.
    disabled: bool,
    max: Option<u32>,
    rate: Option<Rate>,
    running: u32,
    /// Starts within the last span.
    starts: VecDeque<Instant>,
    waiting: VecDeque<Job>,
}

impl Limit {
    /// What keeps those that wait.
    fn why(&self) -> QueuedFor {
        match self.max {
            _ if self.disabled => QueuedFor::Disabled,
            Some(max) if self.running >= max.max(1) => QueuedFor::MaxConcurrency,
            _ => QueuedFor::Rate,
        }
    }

    /// Whether another may start now; else, for a rate, when to look again.
    fn admit(&mut self, now: Instant) -> Result<(), Option<Duration>> {
        if self.disabled || self.max.is_some_and(|max| self.running >= max.max(1)) {
            return Err(None);
        }
        let Some(rate) = self.rate else { return Ok(()) };
        while self
            .starts
            .front()
            .is_some_and(|start| now.duration_since(*start) >= rate.per)
        {
            self.starts.pop_front();
        }
        let full = self.starts.len() >= usize::try_from(rate.count.max(1)).unwrap_or(usize::MAX);
        match self.starts.front().filter(|_| full) {
            Some(first) => Err(Some(rate.per.saturating_sub(now.duration_since(*first)))),
            None => Ok(()),
        }
    }
}

impl Activities {
    pub(crate) fn new<'a>(
        limit: usize,
        all: impl Iterator<Item = &'a Activity>,
        is_disabled: impl Fn(&str) -> bool,
    ) -> Self {
        let all: Vec<&Activity> = all.collect();
        // One that is not async has threads of its own.
        let are_async = |a: &&&Activity| matches!(a.spec.run, ActivityRun::Async(_));
        let quick = Quick::new(all.iter().filter(are_async).map(|a| a.name));
        let is_limited = |a: &&&Activity| {
            a.spec.max_concurrency.is_some() || a.spec.rate.is_some() || is_disabled(a.name)
        };
        let limits: BTreeMap<&'static str, Limit> = all
            .iter()
            .filter(is_limited)
            .map(|a| {
                let limit = Limit {
                    disabled: is_disabled(a.name),
                    max: a.spec.max_concurrency,
                    rate: a.spec.rate,
                    running: 0,
                    starts: VecDeque::new(),
                    waiting: VecDeque::new(),
                };
                (a.name, limit)
            })
            .collect();
        Self {
            limited: limits.keys().copied().collect(),
            state: Mutex::new(Queue {
                limits,
                ..Queue::default()
            }),
            limit: limit.max(1),
            quick,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_waiting(&self) -> bool {
        !self.lock().ring.is_empty()
    }

    /// Nothing starts any more.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
    }

    /// What each activity of an instance waits for that has not begun, and which delivery that will be, by its id.
    fn queued(&self, instance_id: &str, execution_id: &str) -> HashMap<i64, (QueuedFor, u32)> {
        let queue = self.lock();
        let paused = queue.closed || queue.paused;
        let ready = queue.waiting.get(instance_id).into_iter().flatten();
        let ready = ready.map(|job| (QueuedFor::Slot, job));
        let limited = queue.limits.values().flat_map(|limit| {
            let why = limit.why();
            limit.waiting.iter().map(move |job| (why, job))
        });
        let own = ready.chain(limited).filter(|(_, job)| {
            *job.cell.id == *instance_id && *job.task.execution_id == *execution_id
        });
        own.map(|(why, job)| {
            let why = if paused { QueuedFor::Paused } else { why };
            (job.task.id, (why, job.task.delivery))
        })
        .collect()
    }
}

impl Engine {
    /// Takes those of one instance into its queue, and starts as many as there are slots for.
    fn queue_activities(self: &Arc<Self>, lane: Lane, jobs: Vec<Job>) {
        let Some(first) = jobs.first() else { return };
        let activities = self.activities.lane(lane);
        let id = Arc::clone(&first.cell.id);
        let quick: Vec<bool> = {
            let mut queue = activities.lock();
            let free = match queue.closed || queue.paused {
                false => activities.limit.saturating_sub(queue.running),
                true => 0,
            };
            // A slot for each, of the kind that the job wants which it may get.
            let quick = jobs.iter().take(free);
            let quick: Vec<bool> = quick
                .map(|job| activities.quick.is(&job.task.name))
                .collect();
            queue.running += quick.len();
            queue.put(id, jobs);
            quick
        };
        for quick in quick {
            if quick {
                self.queue.push_slot(lane, self.busy.begin());
            } else {
                self.spawn_slot(lane);
            }
        }
    }

    fn spawn_slot(self: &Arc<Self>, lane: Lane) {
        let work = self.busy.begin();
        self.runtime
            .spawn(slot(Arc::downgrade(self), lane, work, None));
    }

    /// Runs a slot on a thread of turns, as long as what it has to run is quick; the rest goes to the runtime.
    pub(super) fn run_slot(self: &Arc<Self>, lane: Lane) {
        let (engine, work) = (Arc::downgrade(self), self.busy.begin());
        let mut slot: Pin<Box<_>> = Box::pin(slot(engine, lane, work, Some(Instant::now())));
        let polled = {
            let _runtime = self.runtime.enter();
            // Nobody needs to be woken: whatever waits is polled anew by the runtime.
            slot.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        };
        if polled.is_pending() {
            self.runtime.spawn(slot);
        }
    }

    /// The next job whose function has room, in turn of the instances.
    fn next_activity(self: &Arc<Self>, lane: Lane, now: Instant) -> Option<Job> {
        let mut guard = self.activities.lane(lane).lock();
        let queue = &mut *guard;
        let next = queue.next(now);
        if next.is_none() {
            queue.running -= 1;
        }
        if let Some(at) = queue.set_alarm(now) {
            self.start_slot_at(at, lane);
        }
        next
    }

    /// A slot looks again when a rate allows the next start.
    fn start_slot_at(self: &Arc<Self>, at: Instant, lane: Lane) {
        let engine = Arc::downgrade(self);
        let (work, closed) = (self.busy.begin(), self.until_closed());
        self.runtime.spawn(async move {
            tokio::select! {
                () = tokio::time::sleep_until(at.into()) => {}
                // Nothing starts any more, so nothing is worth the wait.
                () = closed.cancelled() => return,
            }
            let Some(strong) = engine.upgrade() else {
                return;
            };
            {
                let activities = strong.activities.lane(lane);
                let mut queue = activities.lock();
                queue.alarm = queue.alarm.filter(|alarm| *alarm != at);
                // Slots that are taken look for themselves when they are done, and whoever ends a pause starts some.
                if queue.closed || queue.paused || queue.running >= activities.limit {
                    return;
                }
                queue.running += 1;
            }
            drop(strong);
            slot(engine, lane, work, None).await;
        });
    }

    /// Lets nothing start until it is told to go on; what runs may finish.
    pub(super) fn pause_activities(self: &Arc<Self>, paused: bool) {
        for lane in [Lane::Functions, Lane::Http] {
            let activities = self.activities.lane(lane);
            let mut queue = activities.lock();
            queue.paused = paused;
            if paused || queue.closed {
                continue;
            }
            let free = activities.limit.saturating_sub(queue.running);
            let free = free.min(queue.waiting());
            queue.running += free;
            drop(queue);
            // A slot that finds nothing goes at once.
            for _ in 0..free {
                self.spawn_slot(lane);
            }
        }
    }

    /// One of a function with a limit of its own has ended.
    fn limited_done(&self, lane: Lane, name: &str) {
        let mut queue = self.activities.lane(lane).lock();
        if let Some(limit) = queue.limits.get_mut(name) {
            limit.running = limit.running.saturating_sub(1);
        }
    }
}

impl Queue {
    /// Takes jobs of one instance.
    fn put(&mut self, id: Arc<str>, jobs: Vec<Job>) {
        match self.waiting.entry(Arc::clone(&id)) {
            Entry::Occupied(waiting) => waiting.into_mut().extend(jobs),
            Entry::Vacant(place) => {
                place.insert(jobs.into());
                self.ring.push_back(id);
            }
        }
    }

    /// The next job whose function has room; the others wait with their function.
    fn next(&mut self, now: Instant) -> Option<Job> {
        while !self.closed && !self.paused {
            let Some(job) = self.pop_admitted(now).or_else(|| self.pop()) else {
                break;
            };
            if job.stop.is_cancelled() {
                continue;
            }
            let Some(limit) = self.limits.get_mut(&*job.task.name) else {
                return Some(job);
            };
            if limit.admit(now).is_err() {
                limit.waiting.push_back(job);
                continue;
            }
            limit.running += 1;
            if limit.rate.is_some() {
                limit.starts.push_back(now);
            }
            return Some(job);
        }
        None
    }

    /// When a slot is to be started for what waits, if none is to be so early already: one at a time, since each that finds
    /// something sees to the next.
    fn set_alarm(&mut self, now: Instant) -> Option<Instant> {
        if self.closed {
            return None;
        }
        let waiting = self.limits.values_mut();
        let spans = waiting.filter(|limit| !limit.waiting.is_empty());
        let next = spans.filter_map(|limit| match limit.admit(now) {
            Ok(()) => Some(Duration::ZERO),
            Err(again) => again,
        });
        let at = now + next.min()?;
        if self.alarm.is_some_and(|alarm| alarm <= at) {
            return None;
        }
        self.alarm = Some(at);
        Some(at)
    }

    /// How many wait for a slot, or for their function's limit.
    fn waiting(&self) -> usize {
        let slots = self.waiting.values().map(VecDeque::len);
        let limits = self.limits.values().map(|limit| limit.waiting.len());
        slots.chain(limits).sum()
    }

    /// The oldest job that waited for its function's limit, if there is room now.
    fn pop_admitted(&mut self, now: Instant) -> Option<Job> {
        for limit in self.limits.values_mut() {
            if !limit.waiting.is_empty() && limit.admit(now).is_ok() {
                return limit.waiting.pop_front();
            }
        }
        None
    }

    fn pop(&mut self) -> Option<Job> {
        let id = self.ring.pop_front()?;
        let jobs = self.waiting.get_mut(&id)?;
        let job = jobs.pop_front();
        if jobs.is_empty() {
            self.waiting.remove(&id);
        } else {
            self.ring.push_back(id);
        }
        job
    }
}

/// Which queue a job waits in: a request that takes its time must not keep functions waiting.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lane {
    Functions,
    Http,
}

impl Lane {
    fn of(name: &str) -> Self {
        if name == HTTP_ACTIVITY {
            Self::Http
        } else {
            Self::Functions
        }
    }
}

/// The queues as the engine holds them.
pub(crate) struct Pool {
    functions: Activities,
    http: Activities,
    engine: OnceLock<Weak<Engine>>,
}

impl Pool {
    pub(crate) fn new(functions: Activities, http: Activities) -> Self {
        Self {
            functions,
            http,
            engine: OnceLock::new(),
        }
    }

    const fn lane(&self, lane: Lane) -> &Activities {
        match lane {
            Lane::Functions => &self.functions,
            Lane::Http => &self.http,
        }
    }

    pub(crate) fn bind(&self, engine: &Arc<Engine>) {
        let _ = self.engine.set(Arc::downgrade(engine));
    }

    /// Jobs of one instance.
    pub(crate) fn push(&self, jobs: Vec<Job>) {
        if jobs.is_empty() {
            return;
        }
        if let Some(engine) = self.engine.get().and_then(Weak::upgrade) {
            let is_http = |job: &Job| matches!(Lane::of(&job.task.name), Lane::Http);
            if !jobs.iter().any(is_http) {
                return engine.queue_activities(Lane::Functions, jobs);
            }
            let (http, functions) = jobs.into_iter().partition(is_http);
            engine.queue_activities(Lane::Functions, functions);
            engine.queue_activities(Lane::Http, http);
        }
    }

    pub(crate) fn running(&self) -> usize {
        self.functions.lock().running + self.http.lock().running
    }

    /// Says of activities that have not begun what they wait for.
    pub(super) fn mark_queued(&self, record: &InstanceRecord, activities: &mut [PendingActivity]) {
        let (id, execution) = (&*record.id, &*record.execution_id);
        // One look at each queue, which slots need too.
        let mut queued = self.functions.queued(id, execution);
        queued.extend(self.http.queued(id, execution));
        for activity in activities {
            if let Some((why, delivery)) = queued.get(&activity.id) {
                activity.queued_for = Some(*why);
                activity.delivery = delivery.saturating_sub(1);
            }
        }
    }

    pub(crate) fn close(&self) {
        self.functions.close();
        self.http.close();
    }
}

/// How long a slot has a thread of turns before turns come next.
const SHARE: Duration = Duration::from_micros(500);

/// A slot: runs one job after the other until there is none. `here`: since when it has a thread of turns.
async fn slot(engine: Weak<Engine>, lane: Lane, _work: Work, mut here: Option<Instant>) {
    let Some(strong) = engine.upgrade() else {
        return;
    };
    let activities = strong.activities.lane(lane);
    // Its own: what all slots count on is slow to count.
    let host = Arc::new(Surroundings {
        states: Arc::clone(&strong.states),
        client: strong.client.clone(),
    });
    let mut now = Instant::now();
    loop {
        if here.is_some_and(|since| now.duration_since(since) > SHARE) {
            return strong.queue.push_slot(lane, strong.busy.begin());
        }
        let Some(job) = strong.next_activity(lane, now) else {
            return;
        };
        let streak = activities.quick.streak(&job.task.name);
        let limited = activities.limited.get(&*job.task.name).copied();
        if here.is_some() && !streak.is_some_and(Streak::is_quick) {
            here = None;
            leave().await;
            now = Instant::now();
        }
        let mut polls = 0;
        let mut work = std::pin::pin!(run_job(&strong, &host, job, now));
        std::future::poll_fn(|cx| {
            polls += 1;
            work.as_mut().poll(cx)
        })
        .await;
        let began = std::mem::replace(&mut now, Instant::now());
        if let Some(streak) = streak {
            streak.learn(now.duration_since(began), polls == 1);
        }
        if let Some(name) = limited {
            strong.limited_done(lane, name);
        }
        if here.is_some() && turns::is_own_thread() {
            // The result waits for this thread. If there is more to run, another had better take it.
            strong.queue.wake_for_more(|| activities.has_waiting());
        } else {
            here = None;
        }
    }
}

/// Lets go of the thread, once.
async fn leave() {
    let mut left = false;
    std::future::poll_fn(|_| {
        if std::mem::replace(&mut left, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

async fn run_job(engine: &Arc<Engine>, host: &Arc<Surroundings>, job: Job, began: Instant) {
    let Job {
        cell,
        task,
        stop,
        ahead,
        alone,
    } = job;
    let span = tracing::info_span!(
        "activity",
        function = &*task.name,
        instance_id = &*cell.id,
        task = task.id
    );
    if task.delivery > 1 && !Box::pin(engine.count_start(&cell, &task)).await {
        cell.lock().running.remove(task.id);
        return;
    }
    // To count a start takes a commit, which is no part of its time.
    let began = match task.delivery {
        1 => began,
        _ => Instant::now(),
    };
    let (key, input) = (task.key, task.input);
    let context = ActivityContext::new(Call {
        instance_id: Arc::clone(&cell.id),
        execution_id: task.execution_id,
        name: task.name,
        task_id: task.id,
        attempt: task.attempt,
        delivery: task.delivery,
        idempotency_key: OnceLock::new(),
        stop,
    });
    let limit = engine.settings.max_payload_bytes;
    let (result, returned) = {
        let work = async {
            let result = run(engine, host, &cell, input, &context, began).await?;
            fitting(result, limit, context.name())
        };
        let mut work = std::pin::pin!(work.instrument(span));
        // Only one that has to wait can be told of a stop: whoever is to be told stands in one line with all the others.
        match futures::poll!(&mut work) {
            Poll::Ready(result) => (result, false),
            Poll::Pending => tokio::select! {
                biased;
                () = engine.stopped.cancelled() => {
                    engine.return_delivery(key, &context);
                    (work.await, true)
                }
                result = &mut work => (result, false),
            },
        }
    };
    let failure = result.as_ref().err();
    tracing::info!(
        function = context.name(),
        instance_id = &*cell.id,
        task = context.task_id(),
        outcome = failure.map_or("ok", |failure| &*failure.error_type),
        error = failure.map(|failure| &*failure.message),
        duration = ?began.elapsed(),
        "activity ended"
    );
    if context.stop().is_cancelled() && engine.is_killed() {
        // Told to stop by the host: it is delivered again, not failed.
        if !returned {
            // It was told, and ended, within one poll.
            engine.return_delivery(key, &context);
        }
        return;
    }
    let id = context.task_id();
    let event = match result {
        Ok(result) => HistoryEvent::TaskCompleted { id, result },
        Err(failure) => HistoryEvent::TaskFailed {
            id,
            failure: Box::new(failure),
        },
    };
    let result = Inbound {
        event,
        inbox: None,
        execution_id: Some(context.into_execution()),
    };
    let result = match &ahead {
        Some(ahead) => ahead.admit(result),
        None => Some(result),
    };
    if let Some(result) = result {
        if let Some(alone) = alone {
            cell.lock().trial.extend(alone);
        }
        engine.deliver_to(&cell, result);
    }
}

async fn run(
    engine: &Arc<Engine>,
    host: &Arc<Surroundings>,
    cell: &Arc<Cell>,
    input: Option<Payload>,
    context: &ActivityContext,
    began: Instant,
) -> Result<Payload, FailureDetails> {
    let name = context.name();
    if context.delivery() > engine.settings.max_deliveries {
        let text = format!(
            "the activity `{name}` was delivered {} times without an end: each time its host went down",
            context.delivery() - 1
        );
        return Err(FailureDetails::new("PoisonMessage", text).non_retriable());
    }
    if name == HTTP_ACTIVITY {
        return Box::pin(http::run(engine, cell, input.as_ref(), context)).await;
    }
    let Some(activity) = engine.registry.activity(name) else {
        let text = format!("the activity `{name}` is not registered here any more");
        return Err(FailureDetails::new("UnknownFunction", text).non_retriable());
    };
    let invocation = ActivityInvocation {
        input,
        context: context.clone(),
        host: Arc::clone(host),
    };
    let limit = [activity.spec.timeout, engine.settings.function_timeout]
        .into_iter()
        .flatten()
        .min();
    let mock = engine.settings.rehearsal.as_ref();
    let work = async {
        match mock.and_then(|rehearsal| rehearsal.mock(name)) {
            // Like any function that is not async: it may wait for the test.
            Some(mock) => user_code::outcome(user_code::blocking(move || mock(&invocation)).await),
            None => invoke(activity.spec.run, invocation).await,
        }
    };
    match limit {
        None => work.await,
        Some(limit) => {
            let grace = engine.settings.cancellation_grace;
            bounded(work, (limit, began), grace, context).await
        }
    }
}

/// A result over the limit is wrong use, and comes again with each retry.
fn fitting(result: Payload, limit: usize, name: &str) -> Result<Payload, FailureDetails> {
    match result.check(limit) {
        Ok(()) => Ok(result),
        Err(error) if name == HTTP_ACTIVITY => {
            Err(HttpFailure::TooLarge.details(format!("the answer cannot be kept: {error}")))
        }
        Err(error) => {
            let text = format!("the result of the activity `{name}` is too large: {error}");
            Err(FailureDetails::new("UsageError", text).non_retriable())
        }
    }
}

/// When the time is over, the token fires; when the grace is over too, the activity has failed, whatever it still does.
async fn bounded(
    work: impl Future<Output = Result<Payload, FailureDetails>>,
    (limit, began): (Duration, Instant),
    grace: Duration,
    context: &ActivityContext,
) -> Result<Payload, FailureDetails> {
    let mut work = std::pin::pin!(work);
    // A timer costs more than all else of one that never waits.
    if let Poll::Ready(result) = futures::poll!(&mut work) {
        return result;
    }
    let left = limit.saturating_sub(began.elapsed());
    if let Ok(result) = tokio::time::timeout(left, &mut work).await {
        return result;
    }
    context.stop().cancel();
    let _ = tokio::time::timeout(grace, &mut work).await;
    let name = context.name();
    Err(FailureDetails::new(
        "FunctionTimeout",
        format!("the activity `{name}` took longer than {limit:?}"),
    ))
}

async fn invoke(
    run: ActivityRun,
    invocation: ActivityInvocation,
) -> Result<Payload, FailureDetails> {
    match run {
        ActivityRun::Async(run) => user_code::resumable(run, invocation).await,
        ActivityRun::Blocking(run) => {
            user_code::outcome(user_code::blocking(move || run(invocation)).await)
        }
    }
}
