//! [`Model`]: one generation of a program, turn by turn: what is taken, what is asked for, how it ends.

use std::collections::{BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::node::Node;
use super::program::{Expr, Program};
use super::world::{Inbound, Misuse, Task, Value, World};

/// How a generation ends.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum End {
    Completed(String),
    Failed(String),
    Terminated,
    /// The values so far, and the events that go along.
    Continued(Vec<String>, Vec<(String, String)>),
}

/// What one turn has to be.
#[derive(Debug, PartialEq)]
pub(super) struct Turn {
    pub(super) taken: Vec<Inbound>,
    pub(super) asked: Vec<(i64, String)>,
    pub(super) status: Option<String>,
    pub(super) end: Option<End>,
    pub(super) late: Vec<Inbound>,
    /// Of the tasks that history has asked for: those that are open.
    pub(super) open: Vec<(i64, Task)>,
}

/// One generation in the model.
pub(super) struct Model {
    program: Program,
    world: World,
    root: Node,
    begun: bool,
    suspended: bool,
    held: VecDeque<Inbound>,
    recorded: BTreeSet<i64>,
    end: Option<End>,
}

impl Model {
    pub(super) fn new(program: Program, instance_id: &str, execution_id: &str) -> Self {
        Self {
            root: Node::Lazy(Expr::Catch(Box::new(Expr::Seq(Vec::new())))),
            world: World::new(instance_id, execution_id, program.second),
            program,
            begun: false,
            suspended: false,
            held: VecDeque::new(),
            recorded: BTreeSet::new(),
            end: None,
        }
    }

    pub(super) fn turn(&mut self, now: i64, inbound: Vec<Inbound>) -> Turn {
        self.world.now = self.world.now.max(now);
        let (mut taken, mut late) = (Vec::new(), Vec::new());
        for event in inbound {
            let over = match self.end {
                None => false,
                Some(End::Continued(..)) => event != Inbound::Terminated,
                Some(_) => true,
            };
            if over {
                late.push(event);
            } else if self.is_fresh(&event) {
                taken.push(event.clone());
                self.take(event);
            }
        }
        if self.end.is_some() {
            late = self.held.drain(..).chain(late).collect();
        }
        if matches!(self.end, Some(End::Continued(..))) && self.program.discard {
            late.retain(|event| !matches!(event, Inbound::Raised(..)));
        }
        let mut asked = Vec::new();
        if self.end.is_some() || !self.suspended {
            asked.append(&mut self.world.asked);
        }
        self.recorded.extend(asked.iter().map(|(id, _)| *id));
        let open = self.world.open.iter();
        let open = open.filter(|(id, _)| self.recorded.contains(id));
        Turn {
            taken,
            asked,
            status: self.world.status.take(),
            end: self.end.clone(),
            late,
            open: open.map(|(id, task)| (*id, task.clone())).collect(),
        }
    }

    /// Not a second answer, nor one to nothing.
    fn is_fresh(&self, event: &Inbound) -> bool {
        let id = |event: &Inbound| match event {
            Inbound::Completed(id, _)
            | Inbound::Failed(id, ..)
            | Inbound::Fired(id)
            | Inbound::Granted(id) => Some(*id),
            _ => None,
        };
        let held = id(event).is_some() && self.held.iter().any(|other| id(other) == id(event));
        self.world.answers(event, &self.recorded) && !held
    }

    fn take(&mut self, event: Inbound) {
        match event {
            Inbound::Start => {
                self.begun = true;
                self.root = Node::start(&mut self.world, &self.program.parts[self.program.at]);
                self.run();
            }
            Inbound::Suspended => self.suspended = true,
            Inbound::Resumed => {
                self.suspended = false;
                while self.end.is_none()
                    && let Some(event) = self.held.pop_front()
                {
                    self.feed(event);
                }
            }
            Inbound::Terminated => self.abort(End::Terminated),
            event if self.suspended => self.held.push_back(event),
            event => self.feed(event),
        }
    }

    fn feed(&mut self, event: Inbound) {
        self.world.take(event);
        self.run();
    }

    fn run(&mut self) {
        while self.begun && self.end.is_none() {
            self.world.moved = false;
            let look = AssertUnwindSafe(|| self.root.look(&mut self.world));
            let value = match catch_unwind(look) {
                Ok(value) => value,
                Err(panic) if panic.is::<Misuse>() => {
                    return self.abort(End::Failed("usage".to_owned()));
                }
                Err(panic) => resume_unwind(panic),
            };
            self.world.confirm();
            if let Some(value) = value {
                self.end = Some(self.finish(value));
            } else if !self.world.moved {
                return;
            }
        }
    }

    /// Ends without the program's consent: all that it has is dropped, and what it has locked is let go.
    fn abort(&mut self, end: End) {
        self.root.leave(&mut self.world);
        self.world.confirm();
        self.end = Some(end);
    }

    fn finish(&self, value: Value) -> End {
        let value = match value {
            Ok(value) => value,
            Err(error) => return End::Failed(error),
        };
        let mut so_far = self.program.so_far.clone();
        so_far.push(value);
        if self.program.at + 1 == self.program.parts.len() {
            return End::Completed(so_far.join(";"));
        }
        let mut unread = self.world.unread();
        if self.program.discard {
            unread.clear();
        }
        End::Continued(so_far, unread)
    }
}
