//! What the store reads and writes, as plain data.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{
    EntityLockState, FailureDetails, HistoryEvent, LifecycleEvent, Parent, Payload, RuntimeStatus,
    Timestamp,
};

/// The surrogate key of an instance: assigned by the engine from [`super::Ids`], never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InstanceKey(pub i64);

/// An instance as clients see it: its row and the payloads that were asked for.
#[derive(Debug, Clone)]
pub struct InstanceRecord {
    /// Surrogate key.
    pub key: InstanceKey,
    /// Instance id.
    pub id: Arc<str>,
    /// The orchestrator's name.
    pub name: Arc<str>,
    /// Its version; empty: none.
    pub version: String,
    /// The current generation's id.
    pub execution_id: Arc<str>,
    /// 0, and one more with each continue-as-new.
    pub generation: u64,
    /// Where it stands.
    pub status: RuntimeStatus,
    /// First creation of the instance.
    pub created: Timestamp,
    /// Last commit.
    pub updated: Timestamp,
    /// Who called it.
    pub parent: Option<Parent>,
    /// Not to be run before.
    pub scheduled_start: Option<Timestamp>,
    /// Tags given at start.
    pub tags: BTreeMap<String, String>,
    /// W3C trace context given at start.
    pub trace_parent: Option<String>,
    /// Input of the current generation.
    pub input: Option<Payload>,
    /// What it returned; the readable failure; or the reason of its termination, as a JSON string.
    pub output: Option<Payload>,
    /// What the orchestrator last set.
    pub custom_status: Option<Payload>,
    /// Why it failed.
    pub failure: Option<Box<FailureDetails>>,
    /// What an entity keeps; `None` for an orchestration.
    pub entity: Option<Box<EntityRecord>>,
}

/// What an entity keeps.
#[derive(Debug, Clone, Default)]
pub struct EntityRecord {
    /// Its state; `None`: it does not exist, or no longer.
    pub state: Option<Payload>,
    /// Who has locked it.
    pub lock: Option<EntityLockState>,
}

/// Which payloads a read fetches.
#[derive(Debug, Clone, Copy)]
pub struct Parts {
    /// The input.
    pub input: bool,
    /// Output, custom status and failure.
    pub result: bool,
}

impl Parts {
    /// All of them.
    pub const ALL: Self = Self {
        input: true,
        result: true,
    };
    /// All but the input.
    pub const NO_INPUT: Self = Self {
        input: false,
        result: true,
    };
}

/// Everything that is needed to take an instance into memory.
#[derive(Debug, Clone)]
pub struct LoadedInstance {
    /// Row and payloads.
    pub record: InstanceRecord,
    /// History rows so far: what the next commit must find.
    pub sequence: i64,
    /// The turns of the current execution, oldest first; empty for a pending instance. `ExecutionStarted` has its input back.
    pub history: Vec<Vec<HistoryEvent>>,
    /// Messages that wait, oldest first.
    pub inbox: Vec<StoredMessage>,
    /// Deliveries so far of open activities that were delivered more than once: (task id, count).
    pub deliveries: Vec<(i64, u32)>,
}

/// Where the rest of a history begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryMark {
    /// The instance.
    pub key: InstanceKey,
    /// Its next row.
    pub row: i64,
}

/// An instance with the oldest part of its history.
#[derive(Debug, Clone)]
pub struct TakenUp {
    /// The instance; its history may go on.
    pub loaded: LoadedInstance,
    /// Where the rest begins, if there is more.
    pub rest: Option<HistoryMark>,
}

/// A part of a history.
#[derive(Debug, Clone, Default)]
pub struct HistoryPart {
    /// Turns, oldest first.
    pub turns: Vec<Vec<HistoryEvent>>,
    /// Where the rest begins, if there is more.
    pub rest: Option<HistoryMark>,
}

/// A message in an instance's inbox.
#[derive(Debug, Clone)]
pub struct StoredMessage {
    /// Its id, from [`super::Ids`]: larger means later.
    pub id: i64,
    /// The execution it is meant for; `None`: whichever is current.
    pub execution_id: Option<Arc<str>>,
    /// The inbound event that it becomes.
    pub event: HistoryEvent,
}

/// A message to be put into an instance's inbox.
#[derive(Debug, Clone, PartialEq)]
pub struct NewMessage {
    /// Its id, from [`super::Ids`].
    pub id: i64,
    /// The receiver's instance id. An entity that does not exist is made; the row takes the message's id.
    pub to: Arc<str>,
    /// The execution it is meant for; `None`: whichever is current.
    pub execution_id: Option<Arc<str>>,
    /// The inbound event that it becomes.
    pub event: HistoryEvent,
    /// When it was made.
    pub created: Timestamp,
}

/// An instance to be created, `Pending` unless a [`TurnCommit`] of the same group says more.
#[derive(Debug, Clone)]
pub struct NewInstance {
    /// Surrogate key.
    pub key: InstanceKey,
    /// Instance id.
    pub id: Arc<str>,
    /// What its first event will be, input included.
    pub started: crate::model::ExecutionStarted,
    /// Now.
    pub created: Timestamp,
    /// What to do with an instance of that id that already exists.
    pub reuse: Reuse,
    /// Sent instead of an error when the id is taken: how a parent learns that its child could not be started.
    pub on_refused: Option<NewMessage>,
}

/// `overridableExistingInstanceStates` (spec 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reuse {
    /// Terminal instances are replaced, others are in the way.
    #[default]
    NonRunning,
    /// Whatever is there is replaced.
    Any,
}

/// One turn of one instance: all of it is written, or nothing.
#[derive(Debug, Clone)]
pub struct TurnCommit {
    /// Surrogate key.
    pub key: InstanceKey,
    /// Instance id.
    pub id: Arc<str>,
    /// The instance itself, if this is its first turn and it was not stored before.
    pub create: Option<Box<NewInstance>>,
    /// History rows that must be there now, or the commit is a [`super::Error::Conflict`].
    pub expected_sequence: i64,
    /// The turn's events as a JSON array; `None`: nothing is appended (but the sequence still moves on).
    pub events: Option<String>,
    /// Continue-as-new: older rows of history go first, and the row takes the new generation.
    pub new_generation: Option<NewGeneration>,
    /// Status after the turn.
    pub status: RuntimeStatus,
    /// The turn's instant.
    pub updated: Timestamp,
    /// When to look at the instance next: 0 now (open activities, messages), else the next timer; `None`: only when something arrives.
    pub wake_at: Option<Timestamp>,
    /// Payloads that changed; `None` deletes.
    pub payloads: Vec<(PayloadKind, Option<Payload>)>,
    /// Ids of the inbox messages that became events.
    pub consumed: Vec<i64>,
    /// Messages to other instances; one for an instance that does not exist or has ended is dropped.
    pub messages: Vec<NewMessage>,
    /// Instances to create.
    pub starts: Vec<NewInstance>,
    /// Tasks whose delivery counts are no longer needed.
    pub settled: Vec<i64>,
    /// What others are to be told of it.
    pub outbox: Vec<OutboxRecord>,
}

/// A failed instance goes back to before its failure: the newest rows of its history go, output and failure too, and it wants to be
/// looked at. Anything but `Failed` is an [`super::Error::InvalidState`].
#[derive(Debug, Clone)]
pub struct Rewind {
    /// Surrogate key.
    pub key: InstanceKey,
    /// Instance id.
    pub id: Arc<str>,
    /// As [`TurnCommit::expected_sequence`].
    pub expected_sequence: i64,
    /// How many of its oldest rows of history stay.
    pub keep: usize,
    /// The new execution's id.
    pub execution_id: Arc<str>,
    /// `Running`, or `Pending` if no history stays.
    pub status: RuntimeStatus,
    /// Now.
    pub updated: Timestamp,
    /// What was received after the part that stays, to be received again.
    pub messages: Vec<NewMessage>,
    /// Children to create anew.
    pub starts: Vec<NewInstance>,
    /// What others are to be told of it.
    pub outbox: Vec<OutboxRecord>,
}

/// A lifecycle event on its way out: written with the change that it tells of, there until [`super::Change::Sent`]. It outlives its
/// instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRecord {
    /// Its id, from [`super::Ids`]: larger means later.
    pub id: i64,
    /// Whose step it is.
    pub instance_id: Arc<str>,
    /// The step.
    pub event: LifecycleEvent,
}

/// What continue-as-new changes in the row.
#[derive(Debug, Clone)]
pub struct NewGeneration {
    /// The new execution's id.
    pub execution_id: Arc<str>,
    /// Its number.
    pub generation: u64,
    /// Its version.
    pub version: String,
}

/// Which value of an instance a payload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PayloadKind {
    /// Input of the current generation.
    Input = 0,
    /// Output.
    Output = 1,
    /// Custom status.
    CustomStatus = 2,
    /// [`FailureDetails`] as JSON.
    Failure = 3,
    /// State of an entity.
    State = 4,
    /// [`EntityLockState`] as JSON.
    Lock = 5,
}

/// Which instances a list shows. Order: created, then id; with an id prefix: id.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    /// Any of these; empty: all.
    pub statuses: Vec<RuntimeStatus>,
    /// Created at or after.
    pub created_from: Option<Timestamp>,
    /// Created at or before.
    pub created_to: Option<Timestamp>,
    /// Ids that begin so.
    pub id_prefix: Option<String>,
    /// Exact name, compared without case.
    pub name: Option<String>,
    /// Whether ids that begin with `@` are shown.
    pub entities: bool,
    /// At most so many.
    pub limit: usize,
    /// After this row of the last page.
    pub after: Option<Cursor>,
    /// Whether inputs are fetched.
    pub input: bool,
}

/// Where a page ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// `created` of the last row.
    pub created: Timestamp,
    /// Its id.
    pub id: String,
}

/// Which ended instances a purge takes.
#[derive(Debug, Clone)]
pub enum Purge {
    /// One, if it has ended (or, with `running`, in any status).
    One {
        /// Its id.
        id: String,
        /// Whether it may still run. An entity may go unless it is locked or messages wait that are not for later
        /// ([`Error::InvalidState`](super::Error::InvalidState)).
        running: bool,
    },
    /// An entity, if it has no state, no lock and no messages.
    EmptyEntity {
        /// Its instance id.
        id: String,
    },
    /// The oldest `limit` ones that ended so, and not after that instant.
    Expired {
        /// How they ended; a status that is not terminal matches none.
        status: RuntimeStatus,
        /// Their last commit was then or earlier.
        ended_to: Timestamp,
        /// At most so many in one transaction.
        limit: usize,
    },
    /// The oldest `limit` ended ones that match.
    Matching {
        /// Created at or after.
        created_from: Option<Timestamp>,
        /// Created at or before.
        created_to: Option<Timestamp>,
        /// Any of these; empty: every terminal status.
        statuses: Vec<RuntimeStatus>,
        /// At most so many in one transaction.
        limit: usize,
    },
}

/// One access key as stored: the value is encrypted by whoever owns keys; the store does not know them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// `master`, `host`, `system`, or `function/{lower-case name}`.
    pub scope: String,
    /// Name, unique in its scope without regard to case.
    pub name: String,
    /// Ciphertext.
    pub value: String,
}

/// Where the schedule of a timer function stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimerRecord {
    /// The function's name in lower case.
    pub name: String,
    /// The schedule that `next` comes from, as text; empty while the function is disabled.
    pub schedule: String,
    /// The instant that the last finished run was for.
    pub last: Option<Timestamp>,
    /// The instant that the next run is for. It stays until that run has ended.
    pub next: Timestamp,
    /// How often that run was begun: 0 not yet.
    pub deliveries: u32,
    /// Changes so far.
    pub sequence: i64,
}

/// A change of keys.
#[derive(Debug, Clone)]
pub enum KeyChange {
    /// Adds it, or if a key of that name (any case) is there: replaces it and moves it to the end, unless `only_if_absent`.
    Put {
        /// The key.
        key: KeyRecord,
        /// Leaves an existing one alone: how a race for the first generation is decided.
        only_if_absent: bool,
    },
    /// Removes it.
    Delete {
        /// Scope.
        scope: String,
        /// Name, in any case.
        name: String,
    },
}
