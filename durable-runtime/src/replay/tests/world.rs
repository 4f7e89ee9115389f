//! [`World`]: what calls, ids, events, timers and retries mean, told without futures, wakers or slots.
//!
//! The model looks at everything again after each event, until nothing moves. It shares no code with the core.

mod http;
mod sections;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub(super) use self::sections::Misuse;
use self::sections::Section;
use uuid::Uuid;

use super::program::{Call, ChildId, EVENTS, Policy};

const MICROS: i64 = 1_000_000;

/// What came in, as far as it matters.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Inbound {
    Start,
    Completed(i64, String),
    Failed(i64, String, bool),
    Fired(i64),
    Granted(i64),
    Raised(String, String),
    Suspended,
    Resumed,
    Terminated,
}

pub(super) type Value = Result<String, String>;

/// What an id was given for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Part {
    Main,
    Timeout,
    Delay,
    /// The wait before the next poll of a request.
    Poll,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Task {
    Activity { given_up: bool },
    Child,
    Timer(i64),
    Entity,
    Lock,
}

#[derive(Debug)]
enum What {
    Call(Call),
    Lock,
}

#[derive(Debug)]
enum State {
    Waiting,
    Done(Value),
    /// Read, or dropped.
    Gone,
}

#[derive(Debug)]
struct Made {
    what: What,
    state: State,
    /// The task whose end it waits for.
    task: Option<i64>,
    timeout: Option<i64>,
    made: u32,
    since: i64,
    polled: bool,
    /// When it was done, if somebody waited by then: counts all ends.
    woke: Option<u64>,
    /// The event that it was handed and has not read.
    event: Option<(usize, usize, String)>,
    /// What a request sends next.
    sends: String,
}

#[derive(Debug, Default)]
pub(super) struct World {
    instance_id: String,
    execution_id: String,
    /// Microseconds in what the program takes for a second.
    second: i64,
    pub(super) now: i64,
    pub(super) status: Option<String>,
    /// Something moved in this round.
    pub(super) moved: bool,
    /// How many calls were done so far.
    pub(super) ends: u64,
    ids: i64,
    guids: u64,
    made: Vec<Made>,
    parts: BTreeMap<i64, (usize, Part)>,
    /// Asked for in this poll.
    fresh: BTreeMap<i64, (String, Option<Task>)>,
    /// Asked for in this turn.
    pub(super) asked: Vec<(i64, String)>,
    pub(super) open: BTreeMap<i64, Task>,
    /// Arrival, name, data.
    unread: BTreeMap<usize, (usize, String)>,
    waiters: Vec<VecDeque<usize>>,
    arrivals: usize,
    section: Option<Section>,
}

impl World {
    pub(super) fn new(instance_id: &str, execution_id: &str, second: u32) -> Self {
        Self {
            instance_id: instance_id.to_owned(),
            execution_id: execution_id.to_owned(),
            second: second.into(),
            waiters: vec![VecDeque::new(); EVENTS.len()],
            ..Self::default()
        }
    }

    pub(super) fn next_id(&mut self) -> i64 {
        self.moved = true;
        self.ids += 1;
        self.ids - 1
    }

    fn ask(&mut self, id: i64, text: String, task: Option<Task>) {
        self.fresh.insert(id, (text, task));
    }

    pub(super) fn one_way(&mut self, text: &str) {
        let id = self.next_id();
        self.ask(id, text.to_owned(), None);
    }

    pub(super) fn guid(&mut self) -> String {
        let namespace = Uuid::parse_str("9e952958-5e33-4daf-827f-2fa12937b875").unwrap();
        let (seconds, rest) = (self.now.div_euclid(MICROS), self.now.rem_euclid(MICROS));
        let time = chrono::DateTime::from_timestamp(seconds, 0).unwrap();
        let name = format!(
            "{}_{}.{rest:06}0Z_{}",
            self.instance_id,
            time.format("%Y-%m-%dT%H:%M:%S"),
            self.guids
        );
        self.guids += 1;
        Uuid::new_v5(&namespace, name.as_bytes()).to_string()
    }

    pub(super) fn call(&mut self, call: &Call) -> usize {
        let index = self.make(What::Call(call.clone()));
        match call {
            Call::Child { .. } if self.in_section() => self.fail(index),
            Call::Activity { .. } | Call::Child { .. } => {
                let id = self.next_id();
                if let Call::Child {
                    id: ChildId::Own, ..
                } = call
                {
                    self.fail(index);
                } else {
                    self.attempt(index, id);
                }
            }
            Call::Timer(seconds) => {
                let id = self.next_id();
                self.timer(index, id, i64::from(*seconds) * self.second, Part::Main);
                self.made[index].task = Some(id);
            }
            Call::Event { name, .. } => {
                self.waiters[usize::from(*name)].push_back(index);
                self.hand_out(usize::from(*name));
            }
            Call::Unknown => self.fail(index),
            Call::Entity(key) => self.call_entity(index, *key),
            Call::Http { post, .. } => self.request_first(index, *post),
        }
        self.limit(index);
        index
    }

    fn make(&mut self, what: What) -> usize {
        self.moved = true;
        self.made.push(Made {
            what,
            state: State::Waiting,
            task: None,
            timeout: None,
            made: 1,
            since: self.now,
            polled: false,
            woke: None,
            event: None,
            sends: String::new(),
        });
        self.made.len() - 1
    }

    /// A wrong use that the call itself reports.
    fn fail(&mut self, index: usize) {
        self.made[index].state = State::Done(Err("usage".to_owned()));
    }

    /// The options are set once the call is made.
    fn limit(&mut self, index: usize) {
        let What::Call(
            Call::Activity { timeout, .. }
            | Call::Child { timeout, .. }
            | Call::Event { timeout, .. },
        ) = self.made[index].what
        else {
            return;
        };
        let Some(timeout) = timeout else { return };
        if !matches!(self.made[index].state, State::Waiting) {
            return;
        }
        if timeout == 0 && matches!(self.made[index].what, What::Call(Call::Event { .. })) {
            return self.finish(index, Err("timeout".to_owned()));
        }
        let id = self.next_id();
        self.timer(index, id, i64::from(timeout) * self.second, Part::Timeout);
        self.made[index].timeout = Some(id);
    }

    fn timer(&mut self, index: usize, id: i64, span: i64, part: Part) {
        let due = self.now + span;
        self.ask(id, format!("timer {due}"), Some(Task::Timer(due)));
        self.parts.insert(id, (index, part));
    }

    fn attempt(&mut self, index: usize, id: i64) {
        let (text, task) = match self.made[index].what {
            What::Call(Call::Child { id: child, .. }) => {
                let instance = match child {
                    ChildId::Named(n) => format!("child{n}"),
                    ChildId::Automatic | ChildId::Own => format!("{}:{id}", self.execution_id),
                };
                (format!("child {instance}"), Task::Child)
            }
            _ => {
                let given_up = false;
                let Made { made, sends, .. } = &self.made[index];
                let what = if sends.is_empty() { "activity" } else { sends };
                (
                    format!("{what} attempt {made}"),
                    Task::Activity { given_up },
                )
            }
        };
        self.ask(id, text, Some(task));
        self.parts.insert(id, (index, Part::Main));
        self.made[index].task = Some(id);
    }

    /// One look at a call.
    pub(super) fn look(&mut self, index: usize) -> Option<Value> {
        let made = &mut self.made[index];
        made.polled = true;
        if !matches!(made.state, State::Done(_)) {
            return None;
        }
        self.moved = true;
        match std::mem::replace(&mut made.state, State::Gone) {
            State::Done(value) => Some(value),
            State::Waiting | State::Gone => None,
        }
    }

    /// When this call woke whoever waited for it, if that was after `since`.
    pub(super) fn woke(&self, index: usize, since: u64) -> Option<u64> {
        self.made[index].woke.filter(|woke| *woke > since)
    }

    /// The call's future is dropped.
    pub(super) fn leave(&mut self, index: usize) {
        self.leave_lock(index);
        let made = &mut self.made[index];
        let state = std::mem::replace(&mut made.state, State::Gone);
        let (task, timeout, polled) = (made.task, made.timeout.take(), made.polled);
        match state {
            State::Gone => {}
            State::Done(_) => {
                if let Some((name, arrival, data)) = self.made[index].event.take() {
                    self.moved = true;
                    self.unread.insert(arrival, (name, data));
                    self.hand_out(name);
                }
            }
            State::Waiting => {
                let withdrawn = !polled && task.is_some_and(|id| self.fresh.contains_key(&id));
                for id in [task, timeout].into_iter().flatten() {
                    self.give_up(id);
                    if withdrawn {
                        self.fresh.remove(&id);
                        self.answered(id);
                    }
                }
                self.forget_waiter(index);
            }
        }
    }

    fn forget_waiter(&mut self, index: usize) {
        for waiters in &mut self.waiters {
            waiters.retain(|waiter| *waiter != index);
        }
    }

    fn give_up(&mut self, id: i64) {
        self.parts.remove(&id);
        match self.open.get_mut(&id) {
            Some(Task::Activity { given_up }) => *given_up = true,
            Some(Task::Timer(_)) => drop(self.open.remove(&id)),
            Some(Task::Child | Task::Entity | Task::Lock) | None => {}
        }
    }

    fn finish(&mut self, index: usize, value: Value) {
        self.ends += 1;
        self.made[index].state = State::Done(value);
        self.made[index].woke = self.made[index].polled.then_some(self.ends);
        if let Some(timeout) = self.made[index].timeout.take() {
            self.give_up(timeout);
        }
        self.forget_waiter(index);
    }

    /// The oldest unread event of the name goes to the oldest live waiter.
    fn hand_out(&mut self, name: usize) {
        let oldest = self.unread.iter().find(|(_, (other, _))| *other == name);
        let Some((&arrival, (_, data))) = oldest else {
            return;
        };
        let data = data.clone();
        let Some(waiter) = self.waiters[name].front().copied() else {
            return;
        };
        self.unread.remove(&arrival);
        self.made[waiter].event = Some((name, arrival, data.clone()));
        self.finish(waiter, Ok(data));
    }

    /// The end of a poll: what was asked for stays asked for.
    pub(super) fn confirm(&mut self) {
        for (id, (text, task)) in std::mem::take(&mut self.fresh) {
            self.asked.push((id, text));
            let wanted = self.parts.contains_key(&id);
            match task {
                Some(Task::Activity { .. }) => {
                    let given_up = !wanted;
                    self.open.insert(id, Task::Activity { given_up });
                }
                Some(Task::Timer(_)) if !wanted => {}
                Some(task) => drop(self.open.insert(id, task)),
                None => {}
            }
        }
    }

    /// Whether it answers something that history has asked for.
    pub(super) fn answers(&self, event: &Inbound, recorded: &BTreeSet<i64>) -> bool {
        match event {
            Inbound::Completed(id, _)
            | Inbound::Failed(id, ..)
            | Inbound::Fired(id)
            | Inbound::Granted(id) => self.open.contains_key(id) && recorded.contains(id),
            _ => true,
        }
    }

    pub(super) fn take(&mut self, event: Inbound) {
        match event {
            Inbound::Completed(id, value) => {
                self.open.remove(&id);
                self.answered(id);
                if let Some((index, _)) = self.parts.remove(&id) {
                    self.completed(index, value);
                }
            }
            Inbound::Failed(id, text, for_good) => {
                self.open.remove(&id);
                self.answered(id);
                let Some((index, _)) = self.parts.remove(&id) else {
                    return;
                };
                match self.delay(index).filter(|_| !for_good) {
                    Some(delay) => {
                        let timer = self.next_id();
                        self.timer(index, timer, delay, Part::Delay);
                        self.made[index].task = Some(timer);
                    }
                    None => self.finish(index, Err(text)),
                }
            }
            Inbound::Fired(id) => {
                self.open.remove(&id);
                match self.parts.remove(&id) {
                    None => {}
                    Some((index, Part::Main)) => self.finish(index, Ok("rang".to_owned())),
                    Some((index, Part::Timeout)) => {
                        self.made[index].timeout = None;
                        if let Some(task) = self.made[index].task {
                            self.give_up(task);
                        }
                        self.finish(index, Err("timeout".to_owned()));
                    }
                    Some((index, Part::Delay)) => {
                        let id = self.next_id();
                        self.made[index].made += 1;
                        self.attempt(index, id);
                    }
                    Some((index, Part::Poll)) => self.poll_again(index),
                }
            }
            Inbound::Granted(id) => {
                self.open.remove(&id);
                self.grant(id);
                if let Some((index, _)) = self.parts.remove(&id) {
                    self.finish(index, Ok(String::new()));
                }
            }
            Inbound::Raised(name, data) => {
                let folded = name.to_lowercase();
                let Some(name) = EVENTS.iter().position(|one| one.to_lowercase() == folded) else {
                    return;
                };
                self.arrivals += 1;
                self.unread.insert(self.arrivals, (name, data));
                self.hand_out(name);
            }
            Inbound::Start | Inbound::Suspended | Inbound::Resumed | Inbound::Terminated => {}
        }
    }

    /// The wait before the next attempt, by the pseudo-code of the reference.
    fn delay(&self, index: usize) -> Option<i64> {
        let made = &self.made[index];
        let What::Call(
            Call::Activity { retry, .. } | Call::Child { retry, .. } | Call::Http { retry, .. },
        ) = &made.what
        else {
            return None;
        };
        let Policy {
            attempts,
            first,
            coefficient,
            longest,
            timeout,
        } = (*retry)?;
        if made.made == attempts {
            return None;
        }
        if timeout.is_some_and(|span| self.now >= made.since + i64::from(span) * self.second) {
            return None;
        }
        let wait = u64::from(first) * u64::from(coefficient).pow(made.made - 1);
        let wait = i64::try_from(wait.min(longest.into())).unwrap() * self.second;
        (wait > 0).then_some(wait)
    }

    /// Data of the events that nobody read, oldest first, with their names.
    pub(super) fn unread(&self) -> Vec<(String, String)> {
        let all = self.unread.values();
        all.map(|(name, data)| (EVENTS[*name].to_lowercase(), data.clone()))
            .collect()
    }
}
