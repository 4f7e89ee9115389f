//! What the host is told, read once at start.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use actix_web::http::header::{HeaderName, HeaderValue};
use durable_runtime::{Error, Result, hub};

use super::config::{Environment, HostJson};
use super::hub_name;

/// What the HTTP side is told.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) route_prefix: String,
    pub(crate) most_specific_first: bool,
    pub(crate) max_body: usize,
    pub(crate) max_url: usize,
    pub(crate) use_forwarded_host: bool,
    pub(crate) function_timeout: Option<Duration>,
    pub(crate) max_outstanding: Option<usize>,
    pub(crate) home_page: bool,
    pub(crate) custom_headers: Vec<(HeaderName, HeaderValue)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            route_prefix: "api".to_owned(),
            most_specific_first: false,
            max_body: 104_857_600,
            max_url: 4096,
            use_forwarded_host: false,
            function_timeout: Some(Duration::from_secs(30 * 60)),
            max_outstanding: None,
            home_page: true,
            custom_headers: Vec::new(),
        }
    }
}

/// All that is read before anything starts.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) environment: Environment,
    pub(crate) http: Settings,
    pub(crate) hub: hub::Settings,
    pub(crate) hub_path: PathBuf,
    pub(crate) warnings: Vec<String>,
}

const DURABLE: [&str; 20] = [
    "hubName",
    "defaultVersion",
    "maxConcurrentActivityFunctions",
    "maxConcurrentOrchestratorFunctions",
    "maxConcurrentEntityFunctions",
    "maxOrchestrationActions",
    "overridableExistingInstanceStates",
    "throwStatusExceptionsOnRaiseEvent",
    "extendedSessionsEnabled",
    "extendedSessionIdleTimeoutInSeconds",
    "storeInputsInOrchestrationHistory",
    "useGracefulShutdown",
    "useAppLease",
    "httpSettings",
    "storageProvider",
    "tracing",
    "notifications",
    "localRpcEndpointEnabled",
    "purgeRunningInstances",
    "gracePeriodInSeconds",
];
const HTTP: [&str; 8] = [
    "routePrefix",
    "maxOutstandingRequests",
    "maxConcurrentRequests",
    "dynamicThrottlesEnabled",
    "enableChunkedRequestBinding",
    "hsts",
    "customHeaders",
    "mostSpecificRouteFirst",
];

impl Told {
    pub(crate) fn read(given: &BTreeMap<String, String>, root: &Path) -> Result<Self> {
        let environment = Environment::read(given, root)?;
        let json = HostJson::read(root)?;
        let mut warnings = json.unknown("extensions.durableTask", &DURABLE);
        warnings.extend(json.unknown("extensions.http", &HTTP));
        let hub = read_hub(&json, &environment, root)?;
        let http = read_http(&json, &environment)?;
        let hub_path = hub_path(&environment, &hub, root, &mut warnings)?;
        Ok(Self {
            environment,
            http,
            hub,
            hub_path,
            warnings,
        })
    }
}

fn read_hub(json: &HostJson, environment: &Environment, root: &Path) -> Result<hub::Settings> {
    let mut hub = hub::Settings::default();
    let at = |name: &str| format!("extensions.durableTask.{name}");
    hub.hub_name = match json.get::<String>(&at("hubName"))? {
        Some(name) => explicit_hub(&environment.resolve(&name))?,
        None => hub_name::derive(&app_name(environment, root)),
    };
    set(
        &mut hub.max_concurrent_activities,
        json.get(&at("maxConcurrentActivityFunctions"))?,
    );
    set(
        &mut hub.max_concurrent_orchestrations,
        json.get(&at("maxConcurrentOrchestratorFunctions"))?,
    );
    set(
        &mut hub.max_actions,
        json.get(&at("maxOrchestrationActions"))?,
    );
    set(
        &mut hub.throw_on_raise_event,
        json.get(&at("throwStatusExceptionsOnRaiseEvent"))?,
    );
    set(
        &mut hub.purge_running,
        json.get(&at("purgeRunningInstances"))?,
    );
    set(
        &mut hub.grace_period,
        json.get(&at("gracePeriodInSeconds"))?
            .map(Duration::from_secs),
    );
    set(
        &mut hub.idle_timeout,
        json.get(&at("extendedSessionIdleTimeoutInSeconds"))?
            .map(Duration::from_secs),
    );
    set(
        &mut hub.connection,
        json.get(&at("storageProvider.connectionName"))?,
    );
    hub.default_version = json.get(&at("defaultVersion"))?;
    if json.get(&at("extendedSessionsEnabled"))? == Some(false) {
        hub.idle_timeout = Duration::ZERO;
    }
    match json
        .get::<String>(&at("overridableExistingInstanceStates"))?
        .as_deref()
    {
        None | Some("NonRunningStates") => {}
        Some("AnyState") => hub.overridable_any_state = true,
        Some(other) => {
            let text = format!(
                "host.json: `overridableExistingInstanceStates` is \"{other}\"; expected \"NonRunningStates\" or \"AnyState\""
            );
            return Err(Error::msg(text));
        }
    }
    if let Some(timeout) = json.span("functionTimeout")? {
        hub.function_timeout = timeout;
    }
    Ok(hub)
}

fn read_http(json: &HostJson, environment: &Environment) -> Result<Settings> {
    let mut http = Settings::default();
    let at = |name: &str| format!("extensions.http.{name}");
    set(&mut http.route_prefix, json.get(&at("routePrefix"))?);
    set(
        &mut http.most_specific_first,
        json.get(&at("mostSpecificRouteFirst"))?,
    );
    set(
        &mut http.use_forwarded_host,
        json.get("extensions.durableTask.httpSettings.useForwardedHost")?,
    );
    http.max_outstanding = json
        .get::<i64>(&at("maxOutstandingRequests"))?
        .and_then(|count| count.try_into().ok());
    if let Some(timeout) = json.span("functionTimeout")? {
        http.function_timeout = timeout;
    }
    let limit = environment
        .get("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT")
        .and_then(|text| text.parse().ok());
    set(&mut http.max_body, limit);
    http.home_page = !environment.flag("AzureWebJobsDisableHomepage");
    let headers = json
        .get::<BTreeMap<String, String>>(&at("customHeaders"))?
        .unwrap_or_default();
    for (name, value) in headers {
        let wrong = |what: &str| {
            Error::msg(format!(
                "host.json: `extensions.http.customHeaders` has the {what} `{name}: {value}`, which HTTP forbids"
            ))
        };
        let header = HeaderName::try_from(&*name).map_err(|_| wrong("name"))?;
        http.custom_headers.push((
            header,
            HeaderValue::try_from(&*value).map_err(|_| wrong("value"))?,
        ));
    }
    Ok(http)
}

fn set<T>(target: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *target = value;
    }
}

fn explicit_hub(name: &str) -> Result<String> {
    if hub_name::is_valid(name) {
        return Ok(name.to_owned());
    }
    Err(Error::msg(format!(
        "host.json: `extensions.durableTask.hubName` is \"{name}\"; expected 3 to 45 letters and digits, a letter first"
    )))
}

/// The site's name, else the package's, else the program's.
fn app_name(environment: &Environment, root: &Path) -> String {
    let program = || {
        std::env::current_exe().ok().and_then(|path| {
            path.file_stem()
                .map(|stem| stem.to_string_lossy().into_owned())
        })
    };
    let package = || {
        root.canonicalize().ok().and_then(|path| {
            path.file_name()
                .map(|name| name.to_string_lossy().into_owned())
        })
    };
    environment
        .get("WEBSITE_SITE_NAME")
        .or_else(program)
        .or_else(package)
        .unwrap_or_default()
}

/// The database's file, by the setting that holds the connection.
fn hub_path(
    environment: &Environment,
    hub: &hub::Settings,
    root: &Path,
    warnings: &mut Vec<String>,
) -> Result<PathBuf> {
    let name = format!("AzureWebJobs{}", hub.connection);
    let setting = environment
        .get(&name)
        .or_else(|| environment.get(&hub.connection));
    let default = || root.join(".durable").join(format!("{}.db", hub.hub_name));
    match setting.as_deref() {
        None => Ok(default()),
        Some("UseDevelopmentStorage=true") => {
            warnings.push(format!(
                "{name} is `UseDevelopmentStorage=true`: the hub is {}",
                default().display()
            ));
            Ok(default())
        }
        Some(url) => match url.strip_prefix("sqlite://") {
            Some(path) if !path.is_empty() => Ok(root.join(path)),
            _ => Err(Error::msg(storage_error(&name, url))),
        },
    }
}

/// Names the forms that are understood; the value itself may hold a password.
fn storage_error(name: &str, url: &str) -> String {
    let kind = if url.starts_with("postgres") {
        "a Postgres URL, which this version does not serve yet"
    } else if url.contains("AccountKey=") || url.contains("AccountName=") {
        "an Azure connection string"
    } else {
        "not a URL that is understood"
    };
    format!(
        "the setting {name} is {kind}; expected `sqlite://data/hub.db` (relative to the script root) or `sqlite:///var/lib/hub.db`"
    )
}
