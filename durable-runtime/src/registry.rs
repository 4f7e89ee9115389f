//! What inventory collected, sorted and checked: name → function.

use std::any::TypeId;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

use crate::disabled::is_disabled;
use crate::durable_http::is_reserved;
use crate::entity::EntityInvocation;
use crate::error::Error;
use crate::function::ActivityInvocation;
use crate::model::Payload;
use crate::replay::OrchestrationContext;
use crate::timer::TimerInvocation;

/// One annotated function, as its attribute submits it.
#[derive(Debug)]
pub struct Registration {
    /// The name that histories, lists and URLs show.
    pub name: &'static str,
    /// `module_path!()` of the function.
    pub module: &'static str,
    /// `file!()`.
    pub file: &'static str,
    /// `line!()`.
    pub line: u32,
    /// What it is.
    pub kind: Kind,
}

inventory::collect!(Registration);

/// What a function is, and how it is run.
#[derive(Debug)]
pub enum Kind {
    /// `#[orchestration_trigger]`.
    Orchestrator(OrchestratorSpec),
    /// `#[activity_trigger]`.
    Activity(ActivitySpec),
    /// `#[entity_trigger]`.
    Entity(EntitySpec),
    /// `#[timer_trigger]`.
    Timer(TimerSpec),
}

impl Kind {
    /// The word for it in messages and lists.
    #[must_use]
    pub const fn noun(&self) -> &'static str {
        match self {
            Self::Orchestrator(_) => "orchestrator",
            Self::Activity(_) => "activity",
            Self::Entity(_) => "entity",
            Self::Timer(_) => "timer function",
        }
    }
}

/// How an orchestrator is run.
#[derive(Clone, Copy)]
pub struct OrchestratorSpec {
    /// `version = ".."`.
    pub version: Option<&'static str>,
    /// Binds the input, calls the function, serialises what it returns.
    pub run: fn(OrchestrationContext) -> BoxFuture<'static, Result<Payload, Error>>,
}

/// How an entity is run.
#[derive(Clone, Copy)]
pub struct EntitySpec {
    /// The operations of a type, in lower case; empty for a function, which decides for itself.
    pub operations: &'static [&'static str],
    /// The states that its operations ask for.
    pub states: &'static [StateSpec],
    /// Binds the parameters, runs one operation, serialises what it returns.
    pub run: fn(EntityInvocation) -> BoxFuture<'static, Result<Payload, Error>>,
}

impl fmt::Debug for EntitySpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntitySpec")
            .field("operations", &self.operations)
            .finish_non_exhaustive()
    }
}

/// How an activity is run.
#[derive(Clone, Copy)]
pub struct ActivitySpec {
    /// `timeout = ".."`: one delivery may take so long; what it is told then, and how long it has to end by itself, is the host's
    /// `functionTimeout` all over: [`crate::hub::Settings::cancellation_grace`].
    pub timeout: Option<Duration>,
    /// `max_concurrency = N`: on this host.
    pub max_concurrency: Option<u32>,
    /// `rate = "10/s"`: starts on this host.
    pub rate: Option<Rate>,
    /// The states that it asks for.
    pub states: &'static [StateSpec],
    /// Binds the parameters, calls the function, serialises what it returns.
    pub run: ActivityRun,
}

/// The two kinds of activity functions.
#[derive(Clone, Copy)]
pub enum ActivityRun {
    /// `async fn`: on the engine's runtime.
    Async(fn(ActivityInvocation) -> BoxFuture<'static, Result<Payload, Error>>),
    /// `fn`: on the blocking pool.
    Blocking(fn(ActivityInvocation) -> Result<Payload, Error>),
}

/// How a timer function is run.
#[derive(Clone, Copy)]
pub struct TimerSpec {
    /// `schedule = ".."`, with its `%SETTING%`s.
    pub schedule: &'static str,
    /// `run_on_startup`: once at each start of the host.
    pub run_on_startup: bool,
    /// The states that it asks for.
    pub states: &'static [StateSpec],
    /// Binds the parameters, calls the function.
    pub run: TimerRun,
}

/// The two kinds of timer functions.
#[derive(Clone, Copy)]
pub enum TimerRun {
    /// `async fn`: on the engine's runtime.
    Async(fn(TimerInvocation) -> BoxFuture<'static, Result<(), Error>>),
    /// `fn`: on the blocking pool.
    Blocking(fn(TimerInvocation) -> Result<(), Error>),
}

impl fmt::Debug for TimerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimerSpec")
            .field("schedule", &self.schedule)
            .field("run_on_startup", &self.run_on_startup)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for TimerRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Async(_) => "Async",
            Self::Blocking(_) => "Blocking",
        })
    }
}

impl fmt::Debug for OrchestratorSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrchestratorSpec")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ActivitySpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActivitySpec")
            .field("timeout", &self.timeout)
            .field("max_concurrency", &self.max_concurrency)
            .field("rate", &self.rate)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ActivityRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Async(_) => "Async",
            Self::Blocking(_) => "Blocking",
        })
    }
}

/// So many starts in each span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Starts.
    pub count: u32,
    /// Span.
    pub per: Duration,
}

/// A `State<S>` that a function asks for.
#[derive(Clone, Copy)]
pub struct StateSpec {
    /// The name of `S`.
    pub type_name: fn() -> &'static str,
    /// The id of `S`.
    pub type_id: fn() -> TypeId,
}

impl StateSpec {
    /// The spec of `State<S>`.
    #[must_use]
    pub const fn of<S: 'static>() -> Self {
        Self {
            type_name: std::any::type_name::<S>,
            type_id: TypeId::of::<S>,
        }
    }
}

impl fmt::Debug for StateSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "State<{}>", (self.type_name)())
    }
}

/// A fault found before anything runs: two functions of one name, a state that nobody gave.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault(pub String);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An orchestrator as the engine knows it.
#[derive(Debug, Clone, Copy)]
pub struct Orchestrator {
    /// Its name, as declared.
    pub name: &'static str,
    /// How it is run.
    pub spec: OrchestratorSpec,
    /// Where it is declared.
    pub file: &'static str,
    /// The line of its attribute there.
    pub line: u32,
}

/// An activity as the engine knows it.
#[derive(Debug, Clone, Copy)]
pub struct Activity {
    /// Its name, as declared.
    pub name: &'static str,
    /// How it is run.
    pub spec: ActivitySpec,
}

/// A timer function as the engine knows it.
#[derive(Debug, Clone, Copy)]
pub struct Timer {
    /// Its name, as declared.
    pub name: &'static str,
    /// How it is run.
    pub spec: TimerSpec,
}

/// An entity as the engine knows it.
#[derive(Debug, Clone, Copy)]
pub struct Entity {
    /// Its name, as declared.
    pub name: &'static str,
    /// How it is run.
    pub spec: EntitySpec,
}

/// The functions of this program by name. Names are compared without case (spec 0.2).
#[derive(Debug, Clone, Default)]
pub struct Registry {
    orchestrators: BTreeMap<String, Vec<Orchestrator>>,
    activities: BTreeMap<String, Activity>,
    entities: BTreeMap<String, Entity>,
    timers: BTreeMap<String, Timer>,
    /// In lower case.
    disabled: BTreeSet<String>,
}

impl Registry {
    /// Collects what every linked crate submitted.
    ///
    /// # Errors
    /// All faults together, sorted.
    pub fn collect() -> Result<Arc<Self>, Vec<Fault>> {
        Self::of(inventory::iter::<Registration>.into_iter())
    }

    /// The registry of these functions.
    ///
    /// # Errors
    /// Names that are taken twice, with both places; names that no function may have.
    pub fn of<'a>(
        registrations: impl Iterator<Item = &'a Registration>,
    ) -> Result<Arc<Self>, Vec<Fault>> {
        let mut all: Vec<&Registration> = registrations.collect();
        all.sort_by_key(|r| (r.name.to_lowercase(), r.file, r.line));
        let mut registry = Self::default();
        let mut faults = duplicates(&all);
        for registration in all {
            faults.extend(check_name(registration));
            registry.add(registration);
        }
        faults.sort();
        faults.dedup();
        if faults.is_empty() {
            Ok(Arc::new(registry))
        } else {
            Err(faults)
        }
    }

    /// The same functions, of which those are disabled whose setting `AzureWebJobs.<name>.Disabled` is `1` or `true`. `setting` gives the
    /// value of a setting.
    ///
    /// Clients can neither start a disabled orchestrator nor signal a disabled entity; what waits for a disabled function of any kind,
    /// instances that have begun included, waits until a host has it enabled.
    #[must_use]
    pub fn disabled_by(&self, setting: impl Fn(&str) -> Option<String>) -> Arc<Self> {
        let orchestrators = self.orchestrator_names().into_iter();
        let names = orchestrators
            .chain(self.activity_names())
            .chain(self.entity_names())
            .chain(self.timers().map(|timer| timer.name));
        let disabled = names.filter(|name| is_disabled(name, &setting));
        let disabled = disabled.map(str::to_lowercase).collect();
        Arc::new(Self {
            disabled,
            ..self.clone()
        })
    }

    /// Whether the settings disable the function of that name.
    #[must_use]
    pub fn is_disabled(&self, name: &str) -> bool {
        !self.disabled.is_empty() && self.disabled.contains(&name.to_lowercase())
    }

    /// Whether clients may start an orchestrator of that name.
    ///
    /// # Errors
    /// The names of those that they may, if it is not among them: unknown, or disabled.
    pub fn check_start(&self, name: &str) -> Result<(), Vec<&'static str>> {
        if self.has_orchestrator(name) && !self.is_disabled(name) {
            return Ok(());
        }
        Err(self.enabled(self.orchestrator_names()))
    }

    fn enabled(&self, mut names: Vec<&'static str>) -> Vec<&'static str> {
        names.retain(|name| !self.is_disabled(name));
        names
    }

    fn add(&mut self, registration: &Registration) {
        let key = registration.name.to_lowercase();
        match &registration.kind {
            Kind::Orchestrator(spec) => {
                self.orchestrators
                    .entry(key)
                    .or_default()
                    .push(Orchestrator {
                        name: registration.name,
                        spec: *spec,
                        file: registration.file,
                        line: registration.line,
                    });
            }
            Kind::Activity(spec) => {
                self.activities.insert(
                    key,
                    Activity {
                        name: registration.name,
                        spec: *spec,
                    },
                );
            }
            Kind::Timer(spec) => {
                let timer = Timer {
                    name: registration.name,
                    spec: *spec,
                };
                self.timers.insert(key, timer);
            }
            Kind::Entity(spec) => {
                let entity = Entity {
                    name: registration.name,
                    spec: *spec,
                };
                self.entities.insert(key, entity);
            }
        }
    }

    /// The activity of that name.
    #[must_use]
    pub fn activity(&self, name: &str) -> Option<&Activity> {
        self.activities
            .get(name)
            .or_else(|| self.activities.get(&name.to_lowercase()))
    }

    /// The function for an instance of that name and version: of exactly that version, else the one without a version.
    #[must_use]
    pub fn orchestrator(&self, name: &str, version: &str) -> Option<&Orchestrator> {
        let all = self
            .orchestrators
            .get(name)
            .or_else(|| self.orchestrators.get(&name.to_lowercase()))?;
        all.iter()
            .find(|o| {
                o.spec
                    .version
                    .unwrap_or_default()
                    .eq_ignore_ascii_case(version)
            })
            .or_else(|| all.iter().find(|o| o.spec.version.is_none()))
    }

    /// Whether there is an orchestrator of that name, in any version.
    #[must_use]
    pub fn has_orchestrator(&self, name: &str) -> bool {
        self.orchestrators.contains_key(&name.to_lowercase())
    }

    /// Names of all orchestrators as declared, sorted without case, each once.
    #[must_use]
    pub fn orchestrator_names(&self) -> Vec<&'static str> {
        self.orchestrators
            .values()
            .filter_map(|all| all.first())
            .map(|o| o.name)
            .collect()
    }

    /// Names of all activities as declared, sorted without case.
    #[must_use]
    pub fn activity_names(&self) -> Vec<&'static str> {
        self.activities.values().map(|a| a.name).collect()
    }

    /// All activities.
    pub fn activities(&self) -> impl Iterator<Item = &Activity> {
        self.activities.values()
    }

    /// All orchestrators, each version.
    pub fn orchestrators(&self) -> impl Iterator<Item = &Orchestrator> {
        self.orchestrators.values().flatten()
    }

    /// The versions in which an orchestrator of that name is declared, sorted as text; `None`: without one.
    #[must_use]
    pub fn versions(&self, name: &str) -> Vec<Option<&'static str>> {
        let declared = self.orchestrators.get(&name.to_lowercase());
        let declared = declared.into_iter().flatten();
        let mut versions: Vec<_> = declared.map(|one| one.spec.version).collect();
        versions.sort_unstable();
        versions
    }

    /// All timer functions, sorted without case.
    pub fn timers(&self) -> impl Iterator<Item = &Timer> {
        self.timers.values()
    }

    /// The entity of that name.
    #[must_use]
    pub fn entity(&self, name: &str) -> Option<&Entity> {
        self.entities
            .get(name)
            .or_else(|| self.entities.get(&name.to_lowercase()))
    }

    /// All entities.
    pub fn entities(&self) -> impl Iterator<Item = &Entity> {
        self.entities.values()
    }

    /// Names of all entities as declared, sorted without case.
    #[must_use]
    pub fn entity_names(&self) -> Vec<&'static str> {
        self.entities.values().map(|e| e.name).collect()
    }

    /// Whether there is an entity of that name, disabled or not.
    ///
    /// # Errors
    /// The reference's sentence for one that there is not.
    pub fn check_entity(&self, name: &str) -> Result<(), String> {
        match self.entity(name) {
            Some(_) => Ok(()),
            None => Err(self.no_entity(name)),
        }
    }

    /// Whether clients may signal an entity of that name.
    ///
    /// # Errors
    /// The names of those that they may, if it is not among them: unknown, or disabled.
    pub fn check_signal(&self, name: &str) -> Result<(), Vec<&'static str>> {
        if self.entity(name).is_some() && !self.is_disabled(name) {
            return Ok(());
        }
        Err(self.enabled(self.entity_names()))
    }

    /// The reference's sentence for an entity that is unknown or disabled.
    #[must_use]
    pub fn no_entity(&self, name: &str) -> String {
        let names = self.enabled(self.entity_names());
        let known = if names.is_empty() {
            "No entity functions are currently registered!".to_owned()
        } else {
            format!(
                "The following are the known entity functions: {}.",
                Self::quoted(&names)
            )
        };
        format!(
            "The function '{name}' doesn't exist, is disabled, or is not an entity function. Additional info: {known}"
        )
    }

    /// Whether there is nothing to run.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.orchestrators.is_empty()
            && self.activities.is_empty()
            && self.entities.is_empty()
            && self.timers.is_empty()
    }

    /// How messages list names: `'A', 'B'`.
    #[must_use]
    pub fn quoted(names: &[&str]) -> String {
        names
            .iter()
            .map(|name| format!("'{name}'"))
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// Two functions may share a name only as two versions of one orchestrator.
fn duplicates(sorted: &[&Registration]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (index, one) in sorted.iter().enumerate() {
        let same = sorted[index + 1..]
            .iter()
            .take_while(|other| other.name.eq_ignore_ascii_case(one.name));
        for other in same.filter(|other| !are_versions(one, other)) {
            faults.push(Fault(format!(
                "two functions are named `{}`: the {} at {}:{} and the {} at {}:{}; names are compared without case: give one of them another `name`",
                other.name,
                one.kind.noun(),
                one.file,
                one.line,
                other.kind.noun(),
                other.file,
                other.line
            )));
        }
    }
    faults
}

fn are_versions(one: &Registration, other: &Registration) -> bool {
    match (&one.kind, &other.kind) {
        (Kind::Orchestrator(a), Kind::Orchestrator(b)) => a.version != b.version,
        _ => false,
    }
}

/// `^[a-z][a-z0-9_-]{0,127}$` without case, and not `host` (host.md 1.1), nor what the engine runs itself.
fn check_name(registration: &Registration) -> Option<Fault> {
    let name = registration.name;
    if is_reserved(name) {
        return Some(Fault(format!(
            "the {} at {}:{} is named `{name}`; names that begin with `BuiltIn__` or `BuiltIn::` are reserved",
            registration.kind.noun(),
            registration.file,
            registration.line
        )));
    }
    let letters = name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    let fine = letters && name.len() <= 128 && name.starts_with(|c: char| c.is_ascii_alphabetic());
    (!fine || name.eq_ignore_ascii_case("host")).then(|| {
        Fault(format!(
            "the {} at {}:{} is named `{name}`; expected a letter, then up to 127 letters, digits, `_` or `-`, and not `host`",
            registration.kind.noun(),
            registration.file,
            registration.line
        ))
    })
}
