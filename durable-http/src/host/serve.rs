//! From a [`Host`] to a [`RunningHost`]: checked, opened, bound, announced; and back down again.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::dev::{ServerHandle, ServiceRequest, fn_service};
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpServer};
use durable_runtime::__private::inventory;
use durable_runtime::hub::{self, Hub};
use durable_runtime::store::Store;
use durable_runtime::store::sqlite::{self, SqliteStore};
use durable_runtime::timer::Timetable;
use durable_runtime::{DurableClient, Error, Registry, Result, States};
use url::Url;

use super::config::Variables;
use super::settings::Told;
use super::throttle::Throttle;
#[cfg(feature = "tls")]
use super::tls;
use super::{
    Configure, Host, Lifecycle, Shared, Target, Worker, auth, banner, dispatch, encryption, listen,
    listing, log_level, resolved,
};
use crate::binding::{self, HttpRegistration};
#[cfg(feature = "http-client")]
use crate::call_http::CallHttp;
use crate::keys::Keys;
#[cfg(feature = "http-client")]
use crate::notifications::Webhook;
use crate::routes::{RouteSpec, Table};
use crate::telemetry;

/// For so long answers may still be on their way when a server with nothing to do stops.
const LINGER: Duration = Duration::from_secs(1);

#[cfg(feature = "tls")]
type Tls = rustls::ServerConfig;
#[cfg(not(feature = "tls"))]
type Tls = std::convert::Infallible;

/// What the command line says of serving.
#[derive(Debug, Default)]
pub(crate) struct How {
    pub(crate) address: Option<IpAddr>,
    pub(crate) port: Option<u16>,
    pub(crate) auth: Option<bool>,
    /// Files of certificate and key.
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<(std::path::PathBuf, std::path::PathBuf)>,
    pub(crate) logs: telemetry::Format,
    /// Whether the banner is printed.
    pub(crate) speaks: bool,
}

/// Settings and functions, found to fit together.
pub(super) struct Checked {
    pub(super) told: Told,
    pub(super) registry: Arc<Registry>,
    pub(super) table: Table<Target>,
    pub(super) functions: Vec<&'static HttpRegistration>,
}

/// Reads and checks everything that can be checked before anything opens.
pub(super) fn check(host: &Host, root: &Path) -> Result<Checked> {
    let mut told = Told::read(&host.given, root)?;
    let mut faults = std::mem::take(&mut told.faults);
    let registry = Registry::collect().unwrap_or_else(|found| {
        faults.extend(found.into_iter().map(|fault| fault.0));
        Arc::default()
    });
    let mut functions: Vec<&'static HttpRegistration> =
        inventory::iter::<HttpRegistration>.into_iter().collect();
    functions.sort_by_key(|function| (function.name.to_lowercase(), function.file, function.line));
    faults.extend(name_faults(&functions, &registry));
    faults.extend(state_faults(&functions, &registry, &host.states));
    let setting = |name: &str| told.environment.get(name).map(str::to_owned);
    let registry = registry.disabled_by(setting);
    match Timetable::of(&registry, setting) {
        Ok(timers) => told.hub.timers = timers,
        Err(found) => faults.extend(found.into_iter().map(|fault| fault.0)),
    }
    let table = route_table(&functions, &told).map_err(|found| faults.extend(found));
    if registry.is_empty() && functions.is_empty() && faults.is_empty() {
        faults.push("this host has no functions: annotate one, and name the crates that hold them in `main!(..)`".to_owned());
    }
    faults.sort();
    faults.dedup();
    match table {
        Ok(table) if faults.is_empty() => Ok(Checked {
            told,
            registry,
            table,
            functions,
        }),
        _ => Err(Error::msg(faults.join("\n       "))),
    }
}

fn name_faults(functions: &[&HttpRegistration], registry: &Registry) -> Vec<String> {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for orchestrator in registry.orchestrators() {
        seen.insert(
            orchestrator.name.to_lowercase(),
            "an orchestrator".to_owned(),
        );
    }
    for activity in registry.activities() {
        seen.insert(activity.name.to_lowercase(), "an activity".to_owned());
    }
    for entity in registry.entity_names() {
        seen.insert(entity.to_lowercase(), "an entity".to_owned());
    }
    for timer in registry.timers() {
        seen.insert(timer.name.to_lowercase(), "a timer function".to_owned());
    }
    let mut faults = Vec::new();
    for function in functions {
        let here = format!("the HTTP function at {}:{}", function.file, function.line);
        if let Some(other) = seen.insert(function.name.to_lowercase(), here.clone()) {
            faults.push(format!(
                "The function or proxy name '{}' must be unique within the function app. ({other} and {here}; names are compared without case)",
                function.name
            ));
        }
    }
    faults
}

fn state_faults(
    functions: &[&HttpRegistration],
    registry: &Registry,
    states: &States,
) -> Vec<String> {
    let http = functions.iter().flat_map(|function| {
        function
            .states
            .iter()
            .map(move |state| (function.name, state))
    });
    let activities = registry.activities().flat_map(|activity| {
        activity
            .spec
            .states
            .iter()
            .map(move |state| (activity.name, state))
    });
    let timers = registry.timers().flat_map(|timer| {
        let states = timer.spec.states.iter();
        states.map(move |state| (timer.name, state))
    });
    let missing = http
        .chain(activities)
        .chain(timers)
        .filter(|(_, state)| !states.has((state.type_id)()));
    missing
        .map(|(name, state)| {
            format!("the function `{name}` takes `State<{}>`, which nobody gave; add `.with_state(..)` to the host", (state.type_name)())
        })
        .collect()
}

fn route_table(
    functions: &[&'static HttpRegistration],
    told: &Told,
) -> Result<Table<Target>, Vec<String>> {
    let (mut routes, mut faults) = (Vec::with_capacity(functions.len()), Vec::new());
    for &function in functions {
        match route_of(function, &told.environment) {
            Ok(route) => routes.push(route),
            Err(fault) => faults.push(fault),
        }
    }
    let table = Table::build(
        &told.http.route_prefix,
        told.http.most_specific_first,
        routes,
    );
    match table {
        Ok(table) if faults.is_empty() => Ok(table),
        Ok(_) => Err(faults),
        Err(found) => Err([faults, found].concat()),
    }
}

/// The route with its `%NAME%`s replaced by settings.
fn route_of(
    function: &'static HttpRegistration,
    settings: &Variables,
) -> Result<RouteSpec<Target>, String> {
    let name = function.name;
    let written = function.route.filter(|route| !route.trim().is_empty());
    let route = settings
        .resolve(written.unwrap_or(name))
        .map_err(|setting| {
            format!(
                "function `{name}`: its route names the setting `{setting}`, which does not exist"
            )
        })?;
    let methods = function.methods.iter();
    Ok(RouteSpec {
        function: name.to_owned(),
        route,
        methods: methods.map(|method| (*method).to_owned()).collect(),
        target: Target {
            function,
            disabled: settings.flag(&format!("AzureWebJobs.{name}.Disabled")),
        },
    })
}

/// Serves until it is told to stop.
pub(crate) fn serve(host: Host, how: How, root: Option<&Path>) -> Result<()> {
    let level = log_level::told(&host.given, &host.root(root));
    let log = telemetry::init(how.logs, level);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("durable-engine")
        .build()?;
    let end = runtime.block_on(async {
        let mut signals = Signals::listen()?;
        let how = How {
            speaks: true,
            ..how
        };
        let running = start(host, &how, root).await?;
        let mut end = tokio::select! {
            () = signals.next() => End::Stop,
            () = running.service.shared.lifecycle.restart_asked_for() => End::StartOnceMore,
        };
        banner::say(match end {
            End::StartOnceMore => "Starting once more: what runs may finish.",
            _ => "Stopping: what runs may finish. A second signal stops at once.",
        });
        let mut stopping = std::pin::pin!(running.shutdown());
        loop {
            tokio::select! {
                stopped = &mut stopping => return stopped.map(|()| end),
                () = signals.next() => {}
            }
            if end == End::Stop {
                return Ok(End::StopAtOnce);
            }
            end = End::Stop;
            banner::say("Stopping instead: what runs may finish. A second signal stops at once.");
        }
    })?;
    match end {
        End::Stop => {
            // A function that is not async cannot be told to stop; it ends with the process.
            runtime.shutdown_background();
            Ok(())
        }
        End::StopAtOnce => {
            runtime.shutdown_background();
            Err(Error::msg(
                "stopped at once by a second signal: what still ran is delivered again by the next start",
            ))
        }
        End::StartOnceMore => {
            runtime.shutdown_timeout(Duration::from_secs(5));
            drop(log);
            start_once_more()
        }
    }
}

/// How a host that served ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Stop,
    StopAtOnce,
    StartOnceMore,
}

fn whole_seconds(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}

/// Starts this program anew, as it was started: in its place where the system allows it.
fn start_once_more() -> Result<()> {
    let mut program = std::process::Command::new(std::env::current_exe()?);
    program.args(std::env::args_os().skip(1));
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt as _;
        Err(program.exec().into())
    }
    #[cfg(not(unix))]
    {
        program.spawn()?;
        Ok(())
    }
}

/// Ctrl-C and SIGTERM. Heard from the moment this is made: none that comes between two calls of [`Self::next`] is lost.
struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(windows)]
    interrupt: tokio::signal::windows::CtrlC,
}

impl Signals {
    fn listen() -> Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
            })
        }
        #[cfg(windows)]
        Ok(Self {
            interrupt: tokio::signal::windows::ctrl_c()?,
        })
    }

    /// Resolves at the next one.
    async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(windows)]
        self.interrupt.recv().await;
    }
}

pub(super) async fn start(host: Host, how: &How, root: Option<&Path>) -> Result<RunningHost> {
    let root = host.root(root);
    let Checked {
        told,
        registry,
        table,
        functions,
    } = check(&host, &root)?;
    for warning in &told.warnings {
        tracing::warn!("{warning}");
    }
    let auth = auth::asked_for(how.auth.or(host.auth), &told.environment);
    let given = host.address.as_deref();
    let address = match host.http {
        true => Some(listen::address(how, given, &told, auth).map_err(Error::msg)?),
        false => None,
    };
    if let (false, Some(address)) = (auth, address) {
        auth::accept_none(address.ip()).map_err(Error::msg)?;
        tracing::warn!("keys are not asked for: every request is the administrator's");
    }
    #[cfg(feature = "tls")]
    let tls = how.tls.as_ref().or(host.tls.as_ref());
    #[cfg(feature = "tls")]
    let tls = tls.map(tls::config).transpose()?;
    #[cfg(not(feature = "tls"))]
    let tls: Option<std::convert::Infallible> = None;
    let listening = address
        .map(|address| listen::bind(address, &told.hub_path))
        .transpose()?;
    let mut options = sqlite::Options::new(&told.hub_path);
    options.durability = told.durability;
    let store = tokio::task::spawn_blocking(move || SqliteStore::open(options)).await?;
    let store = Arc::new(store?);
    let journal: Arc<dyn Store> = Arc::clone(&store) as Arc<dyn Store>;
    let cipher = encryption::cipher(&told.environment, &told.hub_path)?;
    let names: Vec<String> = functions
        .iter()
        .map(|function| function.name.to_owned())
        .collect();
    let functions = listing::all(&registry, &table, &told.hub.timers);
    let others: Vec<String> = functions
        .iter()
        .filter(|listed| listed.http.is_none())
        .map(|listed| listed.name.clone())
        .collect();
    let keys = Keys::load(Arc::clone(&journal), cipher, &names, &others).await?;
    let states = Arc::new(host.states.clone());
    let lifecycle = Lifecycle::new(&root);
    let mut settings = hub_settings(&host, &told)?;
    settings.paused = lifecycle.is_paused();
    let options = hub::Options {
        registry: Arc::clone(&registry),
        states: Arc::clone(&states),
        store: journal,
        settings,
    };
    let hub = Hub::start(options, host.client.of_hub())?;
    let own_host = OnceLock::new();
    if let Some(name) = told.environment.get("WEBSITE_HOSTNAME") {
        let _ = own_host.set(name.to_owned());
    } else if let Some((_, address)) = &listening {
        let _ = own_host.set(format!("localhost:{}", address.port()));
    }
    let shared = web::Data::new(Shared {
        lifecycle,
        functions,
        resolved: resolved::of(&told),
        script_root: root,
        throttle: Throttle::new(told.http.max_outstanding, told.http.max_concurrent),
        client: host.client.client(),
        keys,
        auth,
        settings: told.http,
        own_host,
        tls: tls.is_some(),
        table,
    });
    Shared::publish(&shared);
    let service = Service {
        shared,
        states: web::Data::from(states),
        configure: host.configure.clone(),
    };
    let mut running = RunningHost {
        hub,
        url: None,
        service,
        server: None,
    };
    if let Some((listener, address)) = listening {
        let url = listen::url(address, tls.is_some());
        running.listen(listener, &url, tls)?;
        store.announce(&url)?;
        if how.speaks {
            banner::print(&url, &running.service.shared, &registry, &told.hub.timers);
        }
    }
    Ok(running)
}

/// What the hub is told, with who sends its requests.
#[cfg(feature = "http-client")]
fn hub_settings(host: &Host, told: &Told) -> Result<hub::Settings> {
    let mut settings = told.hub.clone();
    let variable = |name: &str| told.environment.get(name).map(str::to_owned);
    let executor = CallHttp::new(told.call_http.clone(), host.call_http.clone(), variable)?;
    settings.http.executor = Some(Arc::new(executor));
    settings.notifications = told.notifications.clone().map(|own| {
        let (retries, interval, steps) = (own.retries, own.interval, own.steps.clone());
        let webhook = Webhook::new(own, host.call_http.factory.clone());
        let mut notifications = hub::Notifications::new(Arc::new(webhook));
        notifications.retries = retries;
        notifications.interval = interval;
        notifications.steps = steps;
        notifications
    });
    Ok(settings)
}

/// What the hub is told; it sends no requests.
#[cfg(not(feature = "http-client"))]
fn hub_settings(_: &Host, told: &Told) -> Result<hub::Settings> {
    Ok(told.hub.clone())
}

/// What an actix-web application serves.
#[derive(Clone)]
struct Service {
    shared: web::Data<Shared>,
    states: web::Data<States>,
    configure: Vec<Box<dyn Configure>>,
}

impl Service {
    fn configure(&self, cfg: &mut ServiceConfig) {
        binding::configure(cfg, self.shared.settings.max_body);
        cfg.app_data(self.shared.clone())
            .app_data(self.states.clone());
        for configure in &self.configure {
            configure.apply(cfg);
        }
        let worker = Worker::new(self.shared.clone());
        cfg.default_service(fn_service(move |req: ServiceRequest| {
            dispatch::dispatch(req, worker.clone())
        }));
    }
}

/// A host that runs. Ends with [`RunningHost::shutdown`]; dropped without it, it stops as a crash would: nothing is lost.
pub struct RunningHost {
    hub: Hub,
    url: Option<Url>,
    service: Service,
    server: Option<ServerHandle>,
}

impl RunningHost {
    fn listen(&mut self, listener: TcpListener, url: &str, tls: Option<Tls>) -> Result<()> {
        let service = self.service.clone();
        let server = HttpServer::new(move || App::new().configure(|cfg| service.configure(cfg)))
            .workers(std::thread::available_parallelism().map_or(1, usize::from))
            .disable_signals()
            .shutdown_timeout(whole_seconds(self.hub.grace_period()));
        let server = match tls {
            #[cfg(feature = "tls")]
            Some(tls) => server.listen_rustls_0_23(listener, tls)?,
            #[cfg(not(feature = "tls"))]
            Some(never) => match never {},
            None => server.listen(listener)?,
        };
        let server = server.run();
        self.server = Some(server.handle());
        // Its end is the handle's business.
        drop(tokio::spawn(server));
        self.url = Some(Url::parse(url)?);
        Ok(())
    }

    /// A client of the hub.
    #[must_use]
    pub fn client(&self) -> DurableClient {
        self.hub.client()
    }

    /// Where it listens; `None` without HTTP.
    #[must_use]
    pub fn url(&self) -> Option<Url> {
        self.url.clone()
    }

    /// Functions and webhooks for an actix-web application of one's own: `App::new().configure(host.service())`.
    pub fn service(&self) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
        let service = self.service.clone();
        move |cfg| service.configure(cfg)
    }

    /// Stops: no new requests, no function begins, who waits for an instance gets its links; what runs may finish within
    /// `gracePeriodInSeconds`, the rest is delivered again by the next start.
    ///
    /// # Errors
    /// None today; a store may have some.
    pub async fn shutdown(self) -> Result<()> {
        self.service.shared.lifecycle.stop();
        // Who waits in a request is waited for by the server: so the hub first, and what runs beside it.
        self.hub.close();
        tokio::join!(self.stop_server(), self.hub.drain());
        self.hub.shutdown().await;
        Ok(())
    }

    async fn stop_server(&self) {
        if let Some(server) = &self.server {
            let stopped = server.stop(true);
            let shared = &self.service.shared;
            if shared.tls {
                // A connection over HTTP/2 is open for as long as its other side likes, which nothing waits for.
                tokio::select! {
                    () = stopped => {}
                    () = shared.lifecycle.quiet(LINGER) => {}
                }
            } else {
                stopped.await;
            }
        }
    }
}

impl fmt::Debug for RunningHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningHost")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}
