//! [`TestHost`]: a host without HTTP, on a hub in memory, in virtual time.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::http::MockHttp;
use super::rehearsal::{Mock, Rehearsal};
use super::scope;
use crate::client::{ClientError, DurableClient, OrchestrationStatus};
use crate::durable_http::{DurableHttpRequest, DurableHttpResponse, HttpSettings};
use crate::error::{Error, Result};
use crate::function::{Activity, ActivityInvocation, IntoInput, Orchestrator};
use crate::hub::{Hub, Options, Settings, VirtualClock};
use crate::model::Payload;
use crate::registry::{ActivityRun, ActivitySpec, Kind, Registration, Registry};
use crate::state::States;
use crate::store::sqlite::SqliteStore;
use crate::timer::Timetable;

/// A host for tests, not started yet. See [the module](super) for an example.
///
/// Its hub lives in memory and is gone with it; it listens on no port; it works on the runtime of a plain `#[tokio::test]`.
///
/// **Time** stands still until somebody waits for it: [`run`](RunningTestHost::run), [`DurableClient::wait_for_completion`] or
/// [`advance`](RunningTestHost::advance). Then the clock jumps to the next timer whenever no turn, activity or commit is under way, so that
/// an orchestration that waits for days ends at once, and an event that a test raises comes before the time-out it races with.
/// **Timer functions** run at each instant of their schedules when [`advance`](RunningTestHost::advance) passes it. Where the clock jumps by
/// itself, they run once for all the instants that it jumped over, as after a time in which no host was there; they never make it jump.
/// An activity takes the real time that it takes, and its `rate` and `timeout` are measured in that.
#[must_use = "nothing runs before `start`"]
pub struct TestHost {
    module: Option<String>,
    states: States,
    mocks: BTreeMap<String, Mock>,
    mocked: Vec<&'static str>,
    http: MockHttp,
    given: BTreeMap<String, String>,
    skips: bool,
}

impl TestHost {
    /// Serves the functions of every linked crate.
    pub fn new() -> Self {
        Self {
            module: None,
            states: States::default(),
            mocks: BTreeMap::new(),
            mocked: Vec::new(),
            http: MockHttp(None),
            given: BTreeMap::new(),
            skips: true,
        }
    }

    /// Serves the functions registered at or below a module: `TestHost::within(module_path!())`. A module without functions, such as
    /// `mod tests`, stands for the nearest one around it that has some.
    pub fn within(module: &str) -> Self {
        Self {
            module: Some(module.to_owned()),
            ..Self::new()
        }
    }

    /// Gives a value that functions receive as `State<S>`. A state that nobody gave fails only the function that asks for it.
    pub fn with_state<S: Send + Sync + 'static>(mut self, state: S) -> Self {
        self.states.insert(state);
        self
    }

    /// Gives a setting: one that a schedule names (`%NAME%`), `WEBSITE_TIME_ZONE`, `AzureWebJobs.<name>.Disabled`. A timer function whose
    /// schedule names one that nobody gave does not run, and the log says so.
    pub fn with_setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.given.insert(name.into().to_lowercase(), value.into());
        self
    }

    /// Calls `mock` wherever the activity `A` would run. Its error is the activity's failure, its panic too.
    pub fn mock_activity<A: Activity>(
        mut self,
        mock: impl Fn(A::Input) -> Result<A::Output> + Send + Sync + 'static,
    ) -> Self {
        let mock =
            move |call: &ActivityInvocation| Payload::of(&mock(call.input()?)?).map_err(Into::into);
        self.mocks.insert(A::NAME.to_lowercase(), Arc::new(mock));
        self.mocked.push(A::NAME);
        self
    }

    /// Answers the requests of `call_http`, each by one call of `mock`; its panic is the request's failure. Without it every request fails.
    pub fn mock_http(
        mut self,
        mock: impl Fn(DurableHttpRequest) -> DurableHttpResponse + Send + Sync + 'static,
    ) -> Self {
        self.http = MockHttp(Some(Arc::new(mock)));
        self
    }

    /// Time passes as it does outside; only [`advance`](RunningTestHost::advance) makes it jump.
    pub fn without_time_skipping(mut self) -> Self {
        self.skips = false;
        self
    }

    /// Starts it on the current tokio runtime.
    ///
    /// # Errors
    /// Two functions of one name; a module without functions; a call outside a tokio runtime.
    pub async fn start(self) -> Result<RunningTestHost> {
        let registry = self.registry()?;
        let clock = match self.skips {
            true => VirtualClock::still(),
            false => VirtualClock::running(),
        };
        let setting = |name: &str| self.given.get(&name.to_lowercase()).cloned();
        let registry = registry.disabled_by(setting);
        let (timers, faults) = Timetable::readable(&registry, setting);
        for fault in faults {
            tracing::warn!("{fault}; it does not run in this test");
        }
        let settings = Settings {
            timers,
            idle_timeout: Duration::from_secs(3_600),
            http: HttpSettings {
                executor: Some(Arc::new(self.http)),
                ..HttpSettings::default()
            },
            rehearsal: Some(Arc::new(Rehearsal {
                clock: Arc::new(clock),
                mocks: self.mocks,
            })),
            ..Settings::default()
        };
        let options = Options {
            registry,
            states: Arc::new(self.states),
            store: Arc::new(SqliteStore::in_memory()?),
            settings,
        };
        let hub = Hub::start(options, &DurableClient::unbound())?;
        Ok(RunningTestHost { hub })
    }

    /// The functions in scope, and the mocked ones wherever they are.
    fn registry(&self) -> Result<Arc<Registry>> {
        let mut functions = match &self.module {
            Some(module) => scope::within(module)?,
            None => inventory::iter::<Registration>.into_iter().collect(),
        };
        let is_known = |name: &str| {
            functions
                .iter()
                .any(|one| one.name.eq_ignore_ascii_case(name))
        };
        let absent: BTreeMap<String, &'static str> = self
            .mocked
            .iter()
            .filter(|name| !is_known(name))
            .map(|name| (name.to_lowercase(), *name))
            .collect();
        let stand_ins: Vec<Registration> = absent.into_values().map(stand_in).collect();
        functions.extend(
            // What `Registry` takes from them lives for ever already.
            stand_ins.iter().map(|one| one as &Registration),
        );
        Registry::of(functions.into_iter()).map_err(|faults| {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            let help = "give `TestHost::within(module_path!())` to serve the functions of one module alone";
            Error::msg(format!("{}\nhelp: {help}", faults.join("\n")))
        })
    }
}

/// An activity that is known only because it is mocked.
fn stand_in(name: &'static str) -> Registration {
    Registration {
        name,
        module: "",
        file: "",
        line: 0,
        kind: Kind::Activity(ActivitySpec {
            timeout: None,
            max_concurrency: None,
            rate: None,
            states: &[],
            run: ActivityRun::Blocking(|_| Err(Error::msg("an activity that is only mocked ran"))),
        }),
    }
}

impl Default for TestHost {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for TestHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestHost")
            .field("module", &self.module)
            .field("mocked", &self.mocked)
            .finish_non_exhaustive()
    }
}

/// A [`TestHost`] that runs, until it is dropped.
#[derive(Debug)]
pub struct RunningTestHost {
    hub: Hub,
}

impl RunningTestHost {
    /// Runs an orchestration to its end, in virtual time, and gives its status: also that of one that failed.
    ///
    /// # Errors
    /// A function that is not served here; an orchestration that waits for something that will not come by itself.
    pub async fn run<O: Orchestrator>(
        &self,
        input: impl IntoInput<O::Input>,
    ) -> Result<OrchestrationStatus> {
        let client = self.client();
        let id = client.start_new::<O>(input).await?;
        let end = client.wait_for_completion(&id, Duration::MAX);
        tokio::select! {
            biased;
            end = end => Ok(end?),
            () = self.hub.engine().skip() => Err(self.stuck(&id).await?),
        }
    }

    async fn stuck(&self, id: &str) -> Result<Error, ClientError> {
        let status = self.client().get_status(id).await?;
        let status = status.map_or_else(|| "gone".to_owned(), |s| s.runtime_status.to_string());
        Ok(Error::msg(format!(
            "the orchestration is {status} and waits, but no timer is due and nothing is under way, so it would wait for ever: \
             start it with `client().start_new(..)` and raise the event that it waits for"
        )))
    }

    /// A client of this host's hub.
    #[must_use]
    pub fn client(&self) -> DurableClient {
        self.hub.client()
    }

    /// What the host's clock shows.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.hub.engine().now().to_utc()
    }

    /// Lets so much time pass: each timer that comes due in it fires at its own instant, each timer function runs at those of its schedule,
    /// and what that leads to is done before the next one.
    /// An activity that is still running after a second of real time is not waited for any longer.
    pub async fn advance(&self, span: Duration) {
        self.hub.engine().advance(span).await;
    }

    /// Stops it as a host stops; dropping it is enough otherwise.
    pub async fn shutdown(self) {
        self.hub.shutdown().await;
    }
}
