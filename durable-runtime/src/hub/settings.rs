//! [`Settings`]: what a hub can be told, with the defaults of the reference where it has any.

use std::sync::Arc;
use std::time::Duration;

use super::{Nondeterminism, Notifications, Retention, VersionFailure, VersionMatch};
use crate::durable_http::HttpSettings;
use crate::replay::Limits;
use crate::testing::Rehearsal;
use crate::timer::Timetable;

/// What a hub can be told.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// The task hub's name.
    pub hub_name: String,
    /// The name of the setting that holds the connection.
    pub connection: String,
    /// Whether activities may start before the turn that asks for them is durable: no activity waits for the disk, and one that a crash
    /// follows may have run for a turn that never was. See `docs/performance.md`.
    pub speculative: bool,
    /// Activities that run at one time on this host.
    pub max_concurrent_activities: usize,
    /// Turns that run at one time on this host, each on a thread of its own; by default one a core. A turn waits for nothing, so more gain
    /// nothing unless orchestrators block; instances that wait take no thread, and are not counted.
    pub max_concurrent_orchestrations: usize,
    /// Batches of entities that run at one time on this host.
    pub max_concurrent_entities: usize,
    /// Operations of an entity that are stored together at most.
    pub max_entity_batch: usize,
    /// Whether an operation that fails leaves no trace.
    pub rollback_entity_operations: bool,
    /// How long an idle instance stays in memory; zero evicts after every turn.
    pub idle_timeout: Duration,
    /// Instances in memory above which those that did nothing for the longest time go at once.
    pub max_resident: usize,
    /// Instances that are not in memory, and whose next timer is due soon, of which memory knows at most. The store knows of the others.
    pub max_looks: usize,
    /// Turns that wait for the disk above which no more are made; twice as many as the store takes in one commit.
    pub max_unstored: usize,
    /// Changes that wait for the disk above which clients are refused.
    pub max_backlog: usize,
    /// Actions of one execution.
    pub max_actions: usize,
    /// KiB of custom status.
    pub max_custom_status_kib: usize,
    /// Bytes of JSON that one value may have: inputs, results, events, states of entities.
    pub max_payload_bytes: usize,
    /// Bytes of JSON above which a value is named in the log: the first one of an execution, or of an entity that has grown.
    pub large_payload_bytes: usize,
    /// Events of history above which an execution is named in the log, once.
    pub long_history_events: usize,
    /// Messages that one turn takes at most.
    pub max_batch: usize,
    /// Generations that one instance may run through before it is stored and others have the thread.
    pub max_generations: usize,
    /// How long a stopping host waits for what runs.
    pub grace_period: Duration,
    /// How long one delivery of an activity may take, or less if it says so itself; `None`: no limit.
    pub function_timeout: Option<Duration>,
    /// How long an activity may go on whose time is over, from the instant at which its cancellation token fires to that at which it has
    /// failed, whatever it still does.
    pub cancellation_grace: Duration,
    /// Deliveries of an activity, a turn, or an operation of an entity, after which it fails as poison.
    pub max_deliveries: u32,
    /// The wait before the third delivery; it doubles with each further one, up to a minute.
    pub redelivery_delay: Duration,
    /// `overridableExistingInstanceStates: AnyState`.
    pub overridable_any_state: bool,
    /// Whether a purge may take instances that still run.
    pub purge_running: bool,
    /// Whether raising an event to an ended instance is an error.
    pub throw_on_raise_event: bool,
    /// The version of new instances of functions that declare none, and of the functions that declare none.
    pub default_version: Option<String>,
    /// How long ended instances are kept.
    pub retention: Retention,
    /// The clock and the mocks of a test.
    #[doc(hidden)]
    pub rehearsal: Option<Arc<Rehearsal>>,
    /// When a function that declares no version takes an instance that has one.
    pub version_match: VersionMatch,
    /// What becomes of an instance whose code does not fit its history, or waits for what no history holds.
    pub nondeterminism: Nondeterminism,
    /// What becomes of an instance that no function here may take.
    pub version_failure: VersionFailure,
    /// The timer functions that run here, with their schedules.
    pub timers: Timetable,
    /// How `call_http` sends.
    pub http: HttpSettings,
    /// Whether no function begins until the host says so.
    pub paused: bool,
    /// Who is told of the steps of orchestrations; `None`: nobody, and what was to be told earlier waits.
    pub notifications: Option<Notifications>,
}

impl Default for Settings {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            hub_name: "TestHubName".to_owned(),
            connection: "Storage".to_owned(),
            speculative: false,
            max_concurrent_activities: 10 * cores,
            max_concurrent_orchestrations: cores,
            max_concurrent_entities: 10 * cores,
            max_entity_batch: 5_000,
            rollback_entity_operations: true,
            idle_timeout: Duration::from_secs(30),
            max_resident: 20_000,
            max_looks: 50_000,
            max_unstored: 4_000,
            max_backlog: 100_000,
            max_actions: Limits::default().actions,
            max_custom_status_kib: Limits::default().custom_status_kib,
            max_payload_bytes: Limits::default().payload_bytes,
            large_payload_bytes: 1024 * 1024,
            long_history_events: 10_000,
            max_batch: 1_000,
            max_generations: 20,
            grace_period: Duration::from_secs(30),
            function_timeout: Some(Duration::from_secs(30 * 60)),
            cancellation_grace: Duration::from_secs(5),
            max_deliveries: 10,
            redelivery_delay: Duration::from_secs(1),
            overridable_any_state: false,
            purge_running: false,
            throw_on_raise_event: true,
            default_version: None,
            retention: Retention::default(),
            rehearsal: None,
            version_match: VersionMatch::default(),
            nondeterminism: Nondeterminism::default(),
            version_failure: VersionFailure::default(),
            timers: Timetable::default(),
            http: HttpSettings::default(),
            paused: false,
            notifications: None,
        }
    }
}

impl Settings {
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            actions: self.max_actions,
            payload_bytes: self.max_payload_bytes,
            custom_status_kib: self.max_custom_status_kib,
            default_version: self.default_version.clone().unwrap_or_default(),
            poll_interval: self.http.poll_interval,
            idempotency_keys: self.http.idempotency_keys,
            nondeterminism: self.nondeterminism,
        }
    }
}
