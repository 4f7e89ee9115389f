//! What one call of user code waits for.

use std::sync::Arc;
use std::task::Waker;

use super::retry::RetryPolicy;
use crate::durable_http::DurableHttpRequest;
use crate::model::{Payload, TaskError, Timestamp};

/// Counts the calls of an execution.
pub(super) type SlotId = i64;

/// One call of user code: an activity with all its attempts, a child, a timer, a wait for an event. Small, since there may be very many at
/// one time: what few calls have is boxed.
pub(super) struct Slot {
    pub(super) what: What,
    pub(super) outcome: Option<Result<Payload, Box<TaskError>>>,
    pub(super) waker: Option<Waker>,
    /// A call that is dropped in the poll that made it, without having been polled, asks for nothing.
    pub(super) polled: bool,
    /// The task id whose end this slot waits for: an attempt, or the timer before the next one.
    pub(super) current: i64,
    /// The id of the timer of `with_timeout`.
    pub(super) timeout: Option<i64>,
    pub(super) retry: Option<Box<Retry>>,
}

pub(super) type Outcome = Result<Payload, TaskError>;

/// The retry policy of a call and where it stands.
pub(super) struct Retry {
    pub(super) policy: RetryPolicy,
    pub(super) started: Timestamp,
    /// Attempts made, the running one included.
    pub(super) made: u32,
}

pub(super) enum What {
    Activity {
        name: Arc<str>,
        input: Option<Payload>,
    },
    Child(Box<Child>),
    Http(Box<HttpExchange>),
    Timer,
    /// An operation of the entity of that name.
    EntityCall {
        name: Arc<str>,
    },
    Lock,
    /// `arrival` numbers the event that was handed out, so that it can be put back where it was.
    Event {
        name: Arc<str>,
        arrival: Option<Box<Buffered>>,
    },
}

/// What a sub-orchestration is called with.
#[derive(Clone)]
pub(super) struct Child {
    pub(super) name: Arc<str>,
    pub(super) version: Option<String>,
    pub(super) instance_id: Option<Arc<str>>,
    pub(super) input: Option<Payload>,
}

/// A `call_http` and where it stands.
pub(super) struct HttpExchange {
    /// What user code asked for.
    pub(super) original: DurableHttpRequest,
    /// What was sent last, or is sent next: the original, or a poll.
    pub(super) last: DurableHttpRequest,
    /// `last` as the input of its activity.
    pub(super) input: Payload,
}

impl HttpExchange {
    pub(super) fn of(original: DurableHttpRequest, first: DurableHttpRequest) -> Self {
        let input = Payload::of(&first).unwrap_or_else(|_| Payload::null());
        Self {
            original,
            last: first,
            input,
        }
    }

    /// From now on this is what is sent.
    pub(super) fn sends(&mut self, request: DurableHttpRequest) {
        self.input = Payload::of(&request).unwrap_or_else(|_| Payload::null());
        self.last = request;
    }
}

/// Why a task id leads to a slot.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It is what the slot waits for.
    Main,
    /// It is the timer before the next attempt.
    RetryTimer,
    /// It is the timer before the next poll of a `call_http`.
    PollTimer,
    /// It is the timer that ends the wait.
    Timeout,
}

/// An event that nobody has read yet.
#[derive(Clone)]
pub(super) struct Buffered {
    /// Counts all events of the execution in the order of their arrival.
    pub(super) arrival: u64,
    /// The name as raised.
    pub(super) name: String,
    pub(super) data: Payload,
}

impl Slot {
    pub(super) fn new(what: What, current: i64) -> Self {
        Self {
            what,
            outcome: None,
            waker: None,
            polled: false,
            current,
            timeout: None,
            retry: None,
        }
    }

    /// A call that failed where it was made.
    pub(super) fn failed(what: What, error: TaskError) -> Self {
        Self {
            outcome: Some(Err(Box::new(error))),
            ..Self::new(what, -1)
        }
    }
}
