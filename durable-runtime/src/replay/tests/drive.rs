//! The hub's part, played by a tape of random numbers: what arrives, in which order, in which batches.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use super::compare::{compare, model_of, open_of};
use super::interpret::{ORCHESTRATOR, POLLS, code};
use super::legal;
use super::model::Model;
use super::program::{EVENTS, NOBODY, OTHER, Program, SERVER};
use super::world::Task;
use crate::durable_http::{DurableHttpRequest, DurableHttpResponse, HTTP_ACTIVITY, HttpAnswer};
use crate::model::{ExecutionStarted, FailureDetails, HistoryEvent as H, Payload, Timestamp};
use crate::registry::Registry;
use crate::replay::core::Limits;
use crate::replay::{Carried, End, Execution, Turn};

const INSTANCE: &str = "me";

/// Turns after which a program that gets all it asks for must have ended.
const PATIENCE: usize = 2_000;

/// What was played, so that a caller can see that it was worth it.
#[derive(Debug, Default, Clone)]
pub(super) struct Played {
    pub(super) turns: usize,
    pub(super) generations: usize,
    /// How many events of each kind came about.
    pub(super) kinds: BTreeMap<&'static str, usize>,
}

impl Played {
    pub(super) fn add(&mut self, other: &Self) {
        self.turns += other.turns;
        self.generations += other.generations;
        for (kind, count) in &other.kinds {
            *self.kinds.entry(kind).or_default() += count;
        }
    }

    fn note(&mut self, made: &[Made]) {
        self.turns += made.len();
        for event in made.iter().flat_map(|made| &made.turn.events) {
            *self.kinds.entry(kind(event)).or_default() += 1;
        }
    }
}

/// The kind of an event, calls under locks and requests told apart, also by where they go.
fn kind(event: &H) -> &'static str {
    match event {
        H::EntityOperationCalled {
            section: Some(_), ..
        } => "call under locks",
        H::TaskScheduled {
            name,
            input: Some(input),
            ..
        } if &**name == HTTP_ACTIVITY && input.as_str().contains(OTHER) => "request elsewhere",
        H::TaskScheduled { name, .. } if &**name == HTTP_ACTIVITY => "request",
        other => other.kind(),
    }
}

/// A task that the hub has been asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Asked {
    Activity,
    Child,
    Timer(Timestamp),
    Entity,
    Lock,
    /// With a retry policy or without.
    Request(bool),
}

/// One live turn, as it was given and as it came out.
struct Made {
    now: Timestamp,
    inbound: Vec<H>,
    turn: Turn,
    polls: usize,
    open: Vec<(i64, Task)>,
    wake: (Option<Timestamp>, bool),
}

struct Play<'a> {
    registry: Arc<Registry>,
    tape: std::slice::Iter<'a, u16>,
    now: i64,
    values: u64,
    asked: BTreeMap<i64, Asked>,
    /// Answers given to this generation.
    given: Vec<H>,
    suspended: bool,
    next_event: usize,
    fault: Fault,
}

/// What a test has go wrong, so that somebody has to notice.
#[derive(Clone, Copy)]
pub(super) struct Fault {
    /// What reaches the core of a batch.
    pub(super) inbound: fn(&mut Vec<H>),
    /// What it makes of it.
    pub(super) turn: fn(&mut Turn),
    /// The history from which an instance is loaded.
    pub(super) loaded: fn(&mut Vec<Vec<H>>),
    /// The history at the end of a generation.
    pub(super) recorded: fn(&mut Vec<Vec<H>>),
}

impl Fault {
    pub(super) const NONE: Self = Self {
        inbound: |_| (),
        turn: |_| (),
        loaded: |_| (),
        recorded: |_| (),
    };
}

/// Plays a program to its end, each turn held against the model and against what an evicted instance would do.
pub(super) fn play(
    registry: &Arc<Registry>,
    program: &Program,
    tape: &[u16],
) -> Result<Played, String> {
    play_with(registry, program, tape, Fault::NONE)
}

/// The same, while something goes wrong.
pub(super) fn play_with(
    registry: &Arc<Registry>,
    program: &Program,
    tape: &[u16],
    fault: Fault,
) -> Result<Played, String> {
    let mut play = Play {
        registry: Arc::clone(registry),
        tape: tape.iter(),
        now: 1_735_787_045_000_000,
        values: 0,
        asked: BTreeMap::new(),
        given: Vec::new(),
        suspended: false,
        next_event: 0,
        fault,
    };
    let (mut program, mut first, mut played) = (program.clone(), Vec::new(), Played::default());
    let nobody = format!("{program:?}")
        .matches(&format!("Entity({NOBODY})"))
        .count();
    played.kinds.insert("call of nobody", nobody);
    loop {
        played.generations += 1;
        let execution_id = format!("e{}", played.generations);
        let (made, next) = play.generation(&program, &execution_id, first)?;
        played.note(&made);
        play.replayed(&program, &execution_id, &made)?;
        let Some((next, events)) = next else {
            return Ok(played);
        };
        (program, first) = (next, events);
    }
}

fn started(program: &Program, execution_id: &str) -> ExecutionStarted {
    ExecutionStarted {
        name: ORCHESTRATOR.into(),
        version: String::new(),
        execution_id: execution_id.into(),
        parent: None,
        scheduled_start: None,
        generation: 0,
        tags: BTreeMap::new(),
        trace_parent: None,
        input: Some(Payload::of(program).unwrap()),
    }
}

/// What a server says: mostly it is done, or has failed, or points to where to ask.
fn response(which: usize, text: &str) -> Payload {
    let answer = match which % 6 {
        1 => DurableHttpResponse::new(500),
        2 | 3 => {
            let location = match which / 6 % 8 {
                2..=5 => format!("{OTHER}/status/{text}"),
                6 => format!("{SERVER}/status/{text}"),
                7 => format!("file:///status/{text}"),
                _ => format!("/status/{text}"),
            };
            let answer = DurableHttpResponse::new(202).with_header("Location", location);
            match which % 5 {
                4 => answer,
                seconds => answer.with_header("Retry-After", seconds.to_string()),
            }
        }
        5 => DurableHttpResponse::new(202),
        _ => DurableHttpResponse::new(200),
    };
    Payload::of(&HttpAnswer::new(answer.with_text(text))).unwrap()
}

type Next = Option<(Program, Vec<H>)>;

impl Play<'_> {
    fn execution(&self, started: &ExecutionStarted) -> Execution {
        Execution::new(
            INSTANCE.into(),
            started.clone(),
            code(),
            Arc::clone(&self.registry),
            Limits::default(),
            Arc::new(|| {}),
        )
    }

    fn generation(
        &mut self,
        program: &Program,
        execution_id: &str,
        first: Vec<H>,
    ) -> Result<(Vec<Made>, Next), String> {
        let started = started(program, execution_id);
        let mut execution = self.execution(&started);
        execution.replay(&[]);
        let mut model = Model::new(program.clone(), INSTANCE, execution_id);
        self.asked.clear();
        self.given.clear();
        self.suspended = false;
        POLLS.set(0);
        let mut all: Vec<Made> = Vec::new();
        let mut inbound = vec![H::ExecutionStarted(Box::new(started))];
        inbound.extend(first);
        loop {
            let now = Timestamp::from_micros(self.now);
            let expected = model.turn(self.now, inbound.iter().filter_map(model_of).collect());
            let mut given = inbound.clone();
            (self.fault.inbound)(&mut given);
            let mut turn = execution.turn(now, given);
            (self.fault.turn)(&mut turn);
            compare(&expected, &turn, &execution)?;
            self.suspended = turn.suspended;
            for crate::replay::Asked { event, .. } in turn.asked() {
                let asked = match event {
                    H::TaskScheduled { name, input, .. } if &**name == HTTP_ACTIVITY => {
                        let request = input.as_ref().map(Payload::read::<DurableHttpRequest>);
                        let request = request.ok_or("no request")?.map_err(|e| e.to_string())?;
                        Asked::Request(request.retry().is_some())
                    }
                    H::TaskScheduled { .. } => Asked::Activity,
                    H::EntityOperationCalled { .. } => Asked::Entity,
                    H::EntityLockRequested { .. } => Asked::Lock,
                    H::TimerCreated { fire_at, .. } => Asked::Timer(*fire_at),
                    H::SubOrchestrationInstanceCreated {
                        detached: false, ..
                    } => Asked::Child,
                    _ => continue,
                };
                self.asked.insert(event.task_id().ok_or("no id")?, asked);
            }
            let end = turn.end.clone();
            let late = turn.late.clone();
            all.push(Made {
                now,
                inbound,
                turn,
                polls: POLLS.get(),
                open: open_of(&execution),
                wake: execution.next_wake(),
            });
            match end {
                None => {}
                Some(End::ContinuedAsNew { input, carried, .. }) => {
                    let next = input.read().map_err(|e| e.to_string())?;
                    return Ok((all, Some((next, heirloom(carried, late)))));
                }
                Some(_) => return Ok((all, None)),
            }
            if all.len() > PATIENCE {
                return Err("the program never ends".to_owned());
            }
            inbound = self.batch();
        }
    }

    /// What arrives next: as the tape says, and once it is over, whatever the program may wait for.
    fn batch(&mut self) -> Vec<H> {
        self.now += 1_000;
        let mut batch = Vec::new();
        while let Some(&number) = self.tape.next() {
            let (what, which) = (number % 16, usize::from(number / 16));
            batch.extend(match what {
                0..=6 => self.answer(which),
                7..=10 => Some(self.raise(which)),
                11 => self.again(which),
                12 => Some(H::TaskCompleted {
                    id: 10_000,
                    result: Payload::null(),
                }),
                13 if self.suspended => Some(self.resume()),
                13 => {
                    self.suspended = true;
                    Some(H::ExecutionSuspended { reason: None })
                }
                // The clocks of hosts differ.
                14 => {
                    self.now += if which.is_multiple_of(2) {
                        2_500_000
                    } else {
                        -1_500_000
                    };
                    None
                }
                _ if which.is_multiple_of(32) => Some(H::ExecutionTerminated {
                    reason: None,
                    recursive: false,
                }),
                _ => return batch,
            });
            if which.is_multiple_of(3) && !batch.is_empty() {
                return batch;
            }
        }
        if self.suspended {
            batch.push(self.resume());
        }
        let more = self.answer(0).unwrap_or_else(|| {
            self.next_event += 1;
            self.raise(self.next_event)
        });
        batch.push(more);
        batch
    }

    fn resume(&mut self) -> H {
        self.suspended = false;
        H::ExecutionResumed { reason: None }
    }

    fn value(&mut self) -> Payload {
        self.values += 1;
        Payload::of(&self.values).unwrap()
    }

    fn raise(&mut self, which: usize) -> H {
        let name = EVENTS[which % EVENTS.len()];
        let name = if which.is_multiple_of(2) {
            name.to_owned()
        } else {
            name.to_uppercase()
        };
        let data = self.value();
        H::EventRaised { name, data }
    }

    /// The end of some open task.
    fn answer(&mut self, which: usize) -> Option<H> {
        let (&id, &asked) = self.asked.iter().nth(which % self.asked.len().max(1))?;
        self.asked.remove(&id);
        let result = self.value();
        let failed = |result: &Payload| {
            let failure = FailureDetails::new("E", format!("f{}", result.as_str()));
            if which.is_multiple_of(7) {
                failure.non_retriable()
            } else {
                failure
            }
        };
        let fails = which % 6 == 1;
        let event = match asked {
            Asked::Activity if fails => H::TaskFailed {
                id,
                failure: Box::new(failed(&result)),
            },
            Asked::Activity => H::TaskCompleted { id, result },
            Asked::Child if fails => H::SubOrchestrationInstanceFailed {
                id,
                failure: Box::new(failed(&result)),
            },
            Asked::Child => H::SubOrchestrationInstanceCompleted { id, result },
            Asked::Entity if fails => H::EntityOperationFailed {
                id,
                failure: Box::new(failed(&result)),
            },
            Asked::Entity => H::EntityOperationCompleted { id, result },
            Asked::Lock => H::EntityLockGranted { id },
            // A status that is to be retried is recorded as a failure, as one that never came.
            Asked::Request(retries) if which % 12 == 7 || (fails && retries) => H::TaskFailed {
                id,
                failure: Box::new(failed(&result)),
            },
            Asked::Request(_) => H::TaskCompleted {
                id,
                result: response(which, result.as_str()),
            },
            Asked::Timer(due) => {
                self.now = self.now.max(due.micros());
                H::TimerFired { id }
            }
        };
        self.given.push(event.clone());
        Some(event)
    }

    /// Something that was delivered already.
    fn again(&mut self, which: usize) -> Option<H> {
        let count = self.given.len().max(1);
        self.given.get(which % count).cloned()
    }

    /// An instance that is loaded before any of its turns does the same, to the byte, and so does its future to the poll.
    fn replayed(&self, program: &Program, execution_id: &str, made: &[Made]) -> Result<(), String> {
        let started = started(program, execution_id);
        let mut history: Vec<Vec<H>> = Vec::new();
        for (index, live) in made.iter().enumerate() {
            let mut execution = self.execution(&started);
            POLLS.set(0);
            let mut known = history.clone();
            (self.fault.loaded)(&mut known);
            execution.replay(&known);
            if let Some(last) = index.checked_sub(1).map(|last| &made[last]) {
                same(index, "open tasks", &last.open, &open_of(&execution))?;
                same(
                    index,
                    "the next wake-up",
                    &last.wake,
                    &execution.next_wake(),
                )?;
            }
            let turn = execution.turn(live.now, live.inbound.clone());
            same(index, "events", &live.turn.events, &turn.events)?;
            let described = |turn: &Turn| {
                turn.asked()
                    .map(|asked| (asked.event.task_id(), asked.attempt, asked.scheduled_start))
                    .collect::<Vec<_>>()
            };
            same(index, "actions", &described(&live.turn), &described(&turn))?;
            let cancelled = |turn: &Turn| {
                (
                    turn.cancelled_timers.clone(),
                    turn.cancelled_activities.clone(),
                )
            };
            same(
                index,
                "what is cancelled",
                &cancelled(&live.turn),
                &cancelled(&turn),
            )?;
            same(
                index,
                "the status",
                &live.turn.custom_status,
                &turn.custom_status,
            )?;
            same(index, "late events", &live.turn.late, &turn.late)?;
            same(
                index,
                "the end",
                &format!("{:?}", live.turn.end),
                &format!("{:?}", turn.end),
            )?;
            same(index, "the number of polls", &live.polls, &POLLS.get())?;
            let stored = serde_json::to_string(&live.turn.events).map_err(|e| e.to_string())?;
            history.push(serde_json::from_str(&stored).map_err(|e| e.to_string())?);
            same(index, "stored events", &live.turn.events, &history[index])?;
        }
        (self.fault.recorded)(&mut history);
        legal::check(&history)
    }
}

fn same<T: PartialEq + Debug>(
    turn: usize,
    what: &str,
    live: &T,
    evicted: &T,
) -> Result<(), String> {
    if live == evicted {
        return Ok(());
    }
    Err(format!(
        "turn {turn}: {what} of the resident instance:\n{live:?}\nof the one that was loaded:\n{evicted:?}"
    ))
}

/// What the next generation gets besides its start.
fn heirloom(carried: Vec<Carried>, late: Vec<H>) -> Vec<H> {
    let carried = carried
        .into_iter()
        .map(|Carried { name, data }| H::EventRaised { name, data });
    let late = late.into_iter().filter(|event| {
        matches!(
            event,
            H::EventRaised { .. }
                | H::ExecutionSuspended { .. }
                | H::ExecutionResumed { .. }
                | H::ExecutionTerminated { .. }
        )
    });
    carried.chain(late).collect()
}
