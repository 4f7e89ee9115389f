//! What happens once a turn is durable, or refused: the only place where effects leave (law 1).

use std::sync::Arc;

use super::Engine;
use super::activities::Job;
use super::cell::{Cell, CellState, Inbound};
use super::reply::Reply;
use super::resident::{ActivityTask, Effects, StartEffect};
use super::speculation::Ahead;
use crate::model::{FailureDetails, HistoryEvent};
use crate::stop::Stop;
use crate::store::{Done, Error, InstanceRecord, NewMessage, Receipt};

/// A turn that was submitted.
pub(super) struct Pending {
    pub(super) effects: Effects,
    pub(super) snapshot: Arc<InstanceRecord>,
    /// Whether it put something into the outbox.
    pub(super) told: bool,
    pub(super) reply: Option<Reply>,
    /// Messages that only memory knows: taken again if the turn is refused.
    pub(super) restore: Vec<Inbound>,
    pub(super) epoch: u64,
    /// If its activities have started already.
    pub(super) ahead: Option<Arc<Ahead>>,
}

/// The answer to a submitted turn. The store waits for it: it only hands things on.
pub(super) fn callback(engine: Arc<Engine>, cell: Arc<Cell>, pending: Pending) -> Done {
    Box::new(move |result| {
        let _answered = Answered(&engine);
        match result {
            Ok(receipt) => committed(&engine, &cell, pending, &receipt),
            Err(error) => refused(&engine, &cell, pending, error),
        }
    })
}

/// Counted off when all is handed on, or something panicked over it.
struct Answered<'a>(&'a Engine);

impl Drop for Answered<'_> {
    fn drop(&mut self) {
        self.0.queue.answered();
    }
}

fn committed(engine: &Arc<Engine>, cell: &Arc<Cell>, pending: Pending, receipt: &Receipt) {
    let Pending {
        mut effects,
        snapshot,
        told,
        mut reply,
        ahead,
        ..
    } = pending;
    if let Some(reply) = &mut reply {
        reply.expect_end(&cell.id, &engine.waiters);
    }
    // First: once it is published, the instance may leave memory, and its timers with it.
    if !effects.ended {
        engine.arm(cell, &snapshot.execution_id, &effects.timers);
    }
    // What a turn cancels it may have asked for itself, or an earlier generation did.
    for (generation, at, id) in &effects.cancelled_timers {
        engine.disarm(cell, generation, &[(*at, *id)]);
    }
    let started = publish(engine, cell, &mut effects, &snapshot, ahead.as_deref());
    engine.activities.push(started);
    send(engine, effects.messages, effects.starts, receipt);
    if told {
        engine.outbox.wake();
    }
    if let Some(reply) = reply {
        reply.stored();
    }
    if effects.ended {
        engine.waiters.tell(&snapshot);
        log_end(engine, snapshot);
    }
}

/// The one line of an orchestration. Written elsewhere: whoever reads the log slowly must not hold up the store.
fn log_end(engine: &Engine, ended: Arc<InstanceRecord>) {
    if !tracing::enabled!(tracing::Level::INFO) {
        return;
    }
    engine.runtime.spawn(async move {
        tracing::info!(
            function = &*ended.name,
            instance_id = &*ended.id,
            outcome = ended.status.name(),
            error = ended.failure.as_ref().map(|failure| &*failure.message),
            duration = ?ended.created.until(ended.updated),
            "orchestration ended"
        );
    });
}

/// What was stored for others reaches them.
pub(super) fn send(
    engine: &Engine,
    messages: Vec<NewMessage>,
    starts: Vec<StartEffect>,
    receipt: &Receipt,
) {
    for message in messages {
        deliver(engine, message);
    }
    for (index, start) in starts.into_iter().enumerate() {
        let due = start.due.filter(|due| *due > engine.clock.now());
        match (receipt.refused.contains(&index), start.on_refused, due) {
            (true, Some(message), _) => deliver(engine, message),
            (true, None, _) => {
                tracing::warn!(
                    instance_id = &*start.id,
                    "an instance was not started: the id is taken"
                );
            }
            (false, _, Some(due)) => engine.look_at(&start.id, due),
            (false, _, None) => engine.poke(&start.id),
        }
    }
}

pub(super) fn deliver(engine: &Engine, message: NewMessage) {
    let NewMessage {
        id,
        to,
        execution_id,
        event,
        ..
    } = message;
    engine.deliver(
        &to,
        Inbound {
            event,
            inbox: Some(id),
            execution_id,
        },
    );
}

/// Makes the commit visible, and gives the activities that may start now.
fn publish(
    engine: &Arc<Engine>,
    cell: &Arc<Cell>,
    effects: &mut Effects,
    snapshot: &Arc<InstanceRecord>,
    ahead: Option<&Ahead>,
) -> Vec<Job> {
    let mut state = cell.lock();
    state.in_flight -= 1;
    state.trial.end();
    state.snapshot = Some(Arc::clone(snapshot));
    if effects.new_generation || effects.ended {
        std::mem::take(&mut state.running)
            .into_values()
            .for_each(|token| token.cancel());
    }
    for id in &effects.cancelled_activities {
        if let Some(token) = state.running.get(*id) {
            token.cancel();
        }
    }
    let jobs = match ahead {
        Some(ahead) => {
            let results = ahead.prove();
            if !results.is_empty() {
                state.mailbox.extend(results);
                if !std::mem::replace(&mut state.scheduled, true) {
                    engine.schedule(Arc::clone(cell));
                }
            }
            Vec::new()
        }
        None => {
            let tasks = std::mem::take(&mut effects.activities);
            jobs(cell, &mut state, tasks, &snapshot.execution_id, None)
        }
    };
    settle(engine, cell, &mut state);
    jobs
}

/// The activities of a turn.
pub(super) fn jobs(
    cell: &Arc<Cell>,
    state: &mut CellState,
    tasks: Vec<ActivityTask>,
    current: &Arc<str>,
    ahead: Option<&Arc<Ahead>>,
) -> Vec<Job> {
    tasks
        .into_iter()
        .map(|task| Job {
            ahead: ahead.cloned(),
            ..job(cell, state, task, current)
        })
        .collect()
}

pub(super) fn job(
    cell: &Arc<Cell>,
    state: &mut CellState,
    task: ActivityTask,
    current: &Arc<str>,
) -> Job {
    let stop = Stop::default();
    if task.execution_id == *current {
        state.running.insert(task.id, stop.clone());
    }
    Job {
        cell: Arc::clone(cell),
        task,
        stop,
        ahead: None,
        alone: None,
    }
}

fn refused(engine: &Arc<Engine>, cell: &Arc<Cell>, pending: Pending, error: Error) {
    let Pending {
        reply,
        restore,
        epoch,
        ahead,
        effects,
        ..
    } = pending;
    let mut state = cell.lock();
    state.in_flight -= 1;
    state.trial.end();
    if let Some(ahead) = ahead {
        ahead.refute();
        let tasks = effects.activities.iter();
        let tokens = tasks.filter_map(|task| state.running.remove(task.id));
        tokens.for_each(|token| token.cancel());
    }
    // The first refusal makes all that was built on it void; the refusals of those only give their messages back.
    let first = state.epoch == epoch;
    let dropped = if first { state.unload() } else { None };
    restore.into_iter().rev().for_each(|message| {
        if !matches!(message.event, HistoryEvent::ExecutionStarted(_)) {
            state.mailbox.push_front(message);
        }
    });
    // Its messages may all lie in the store: nothing else would have it loaded.
    state.again |= first && reply.is_none() && matches!(error, Error::Conflict(_));
    match (reply, &error) {
        (Some(reply), _) => {
            state.snapshot = None;
            reply.refused(error);
        }
        (None, Error::Content(text)) if first => {
            tracing::error!(
                instance_id = &*cell.id,
                text,
                "a turn cannot be stored; the instance fails"
            );
            let failure = FailureDetails::new("StorageError", text.clone()).non_retriable();
            state.fail_with = Some(Box::new(failure));
        }
        (None, Error::NotFound(_)) => state.mailbox.clear(),
        (None, error) => {
            tracing::warn!(instance_id = &*cell.id, %error, "a turn was refused; the instance is loaded again")
        }
    }
    settle(engine, cell, &mut state);
    drop(state);
    drop(dropped);
}

/// After an answer: goes on if there is something to do, and leaves memory if there never will be.
pub(super) fn settle(engine: &Engine, cell: &Arc<Cell>, state: &mut CellState) {
    if !engine.settings.overridable_any_state {
        state.refuse_queued(&cell.id);
    }
    if state.scheduled || state.in_flight > 0 {
        return;
    }
    if let Some(dropped) = state.accept_queued() {
        state.scheduled = true;
        engine.schedule(Arc::clone(cell));
        drop(dropped);
        return;
    }
    if state.ended {
        state.mailbox.clear();
        engine.cells.remove(cell, state);
    } else if !state.mailbox.is_empty()
        || state.fail_with.is_some()
        || state.again
        || (state.resident.is_some() && engine.settings.idle_timeout.is_zero())
    {
        state.scheduled = true;
        engine.schedule(Arc::clone(cell));
    } else if state.resident.is_none() && state.is_idle() {
        engine.cells.remove(cell, state);
    }
}

/// Task ids of the activities that these messages end.
pub(super) fn ended_activities(messages: &[Inbound]) -> impl Iterator<Item = i64> {
    messages.iter().filter_map(|message| match message.event {
        HistoryEvent::TaskCompleted { id, .. } | HistoryEvent::TaskFailed { id, .. } => Some(id),
        _ => None,
    })
}
