//! What the host is told, read once at start.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use actix_web::http::header::{HeaderName, HeaderValue};
#[cfg(feature = "http-client")]
use durable_runtime::durable_http::HttpSettings;
use durable_runtime::store::sqlite::Durability;
use durable_runtime::{Result, hub};

use super::config::{Config, LocalHost, LocalSettings, Variables, parse};
use super::cors::Cors;
use super::durability;
use super::hsts::Hsts;
use super::hub_name;
use super::log_level;
#[cfg(feature = "http-client")]
use super::notify;
use super::proxies::Proxies;
use super::storage::Storage;
#[cfg(feature = "http-client")]
use crate::{call_http, notifications};

/// What the HTTP side is told.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) route_prefix: String,
    pub(crate) most_specific_first: bool,
    pub(crate) max_body: usize,
    pub(crate) max_url: usize,
    pub(crate) use_forwarded_host: bool,
    pub(crate) function_timeout: Option<Duration>,
    /// After so long the caller is told 502; the function runs on.
    pub(crate) response_timeout: Option<Duration>,
    /// Requests that run or wait.
    pub(crate) max_outstanding: Option<usize>,
    /// Requests that run.
    pub(crate) max_concurrent: Option<usize>,
    /// Whether the platform in front vouches for `X-MS-CLIENT-PRINCIPAL`.
    pub(crate) trust_principal: bool,
    /// Whether the administration API answers the platform's own requests only.
    pub(crate) isolated_admin: bool,
    pub(crate) home_page: bool,
    /// Whether 1.x webhooks take their keys over plain HTTP from other machines.
    pub(crate) webhooks_over_http: bool,
    pub(crate) custom_headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) hsts: Option<Hsts>,
    pub(crate) cors: Cors,
    pub(crate) proxies: Proxies,
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
            response_timeout: Some(Duration::from_secs(230)),
            max_outstanding: None,
            max_concurrent: None,
            trust_principal: false,
            isolated_admin: false,
            home_page: true,
            webhooks_over_http: false,
            custom_headers: Vec::new(),
            hsts: None,
            cors: Cors::default(),
            proxies: Proxies::default(),
        }
    }
}

const SPECULATIVE: &str = "`extensions.durableTask.speculative` is `true`: after a crash an activity may have run for a turn that never was";

/// All that is read before anything starts.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) environment: Variables,
    pub(crate) local: LocalHost,
    pub(crate) http: Settings,
    pub(crate) hub: hub::Settings,
    #[cfg(feature = "http-client")]
    pub(crate) call_http: call_http::Settings,
    #[cfg(feature = "http-client")]
    pub(crate) notifications: Option<notifications::Settings>,
    pub(crate) hub_path: PathBuf,
    pub(crate) durability: Durability,
    pub(crate) warnings: Vec<String>,
    /// What is wrong, to be told together with what is wrong with functions.
    pub(crate) faults: Vec<String>,
}

impl Told {
    /// Reads files and environment.
    ///
    /// # Errors
    /// A file that cannot be read at all.
    pub(crate) fn read(given: &BTreeMap<String, String>, root: &Path) -> Result<Self> {
        let (environment, local) = Self::environment(given, root)?;
        Self::of(environment, local, root, |variables| {
            Config::read(root, variables)
        })
    }

    /// All settings by name, and where `local.settings.json` has the host listen.
    ///
    /// # Errors
    /// A file that cannot be read at all.
    pub(super) fn environment(
        given: &BTreeMap<String, String>,
        root: &Path,
    ) -> Result<(Variables, LocalHost)> {
        let file = LocalSettings::read(root)?;
        let local = file.host();
        let given = given
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()));
        let sources = file
            .into_values()
            .chain(Variables::environment())
            .chain(given);
        Ok((Variables::of(sources), local))
    }

    /// Of that `host.json`, and nothing but these settings.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn of_text(text: &str, settings: Variables, root: &Path) -> Result<Self> {
        Self::of(settings, LocalHost::default(), root, |variables| {
            Config::of(PathBuf::from("host.json"), text.to_owned(), variables)
        })
    }

    fn of(
        environment: Variables,
        local: LocalHost,
        root: &Path,
        config: impl for<'v> FnOnce(&'v Variables) -> Result<Config<'v>>,
    ) -> Result<Self> {
        let mut config = config(&environment)?;
        let mut warnings = config.warnings();
        warnings.extend(config.unused());
        warnings.extend(log_level::unused(&mut config));
        // The level has its effect before this is read; here a malformed one becomes a fault.
        let _ = log_level::read(&mut config);
        let mut hub = read_hub(&mut config);
        hub.hub_name = hub_name(&mut config, &environment, root);
        let http = read_http(&mut config, &environment, &local);
        hub.function_timeout = http.function_timeout;
        #[cfg(feature = "http-client")]
        let call_http = read_call_http(&mut config, &mut hub.http);
        #[cfg(feature = "http-client")]
        let notifications = notify::read(&mut config, &environment);
        let (durability, relaxed) = durability::read(&mut config);
        warnings.extend(relaxed);
        let storage = Storage::find(&mut config, &environment, root, &hub.hub_name);
        warnings.extend(hub.speculative.then(|| SPECULATIVE.to_owned()));
        let mut faults = config.take_faults();
        let (hub_path, notice) = match storage {
            Ok(storage) => {
                hub.connection = storage.connection;
                (storage.file, storage.notice)
            }
            Err(fault) => {
                faults.push(fault);
                (PathBuf::new(), None)
            }
        };
        warnings.extend(notice);
        Ok(Self {
            local,
            http,
            hub,
            #[cfg(feature = "http-client")]
            call_http,
            #[cfg(feature = "http-client")]
            notifications,
            hub_path,
            durability,
            warnings,
            faults,
            environment,
        })
    }
}

fn read_hub(config: &mut Config<'_>) -> hub::Settings {
    let mut hub = hub::Settings::default();
    let at = |name: &str| format!("extensions.durableTask.{name}");
    set(
        &mut hub.max_concurrent_activities,
        config.number(&at("maxConcurrentActivityFunctions")),
    );
    set(
        &mut hub.max_concurrent_orchestrations,
        config.number(&at("maxConcurrentOrchestratorFunctions")),
    );
    set(
        &mut hub.max_concurrent_entities,
        config.number(&at("maxConcurrentEntityFunctions")),
    );
    set(
        &mut hub.max_entity_batch,
        config.number(&at("maxEntityOperationBatchSize")),
    );
    hub.rollback_entity_operations = config.flag(
        &at("rollbackEntityOperationsOnExceptions"),
        hub.rollback_entity_operations,
    );
    set(
        &mut hub.max_actions,
        config.number(&at("maxOrchestrationActions")),
    );
    read_limits(config, &mut hub);
    let seconds = |number: Option<u64>| number.map(Duration::from_secs);
    set(
        &mut hub.grace_period,
        seconds(config.number(&at("gracePeriodInSeconds"))),
    );
    let idle = config.number(&at("extendedSessionIdleTimeoutInSeconds"));
    set(&mut hub.idle_timeout, seconds(idle));
    if !config.flag(&at("extendedSessionsEnabled"), true) {
        hub.idle_timeout = Duration::ZERO;
    }
    let deliveries = config.get(&at("maxActivityDeliveries"), "a number from 1 on", |text| {
        text.parse().ok().filter(|number| *number > 0)
    });
    set(&mut hub.max_deliveries, deliveries);
    let expected = "a time span such as `00:00:01`";
    let delay = config.get(&at("redeliveryDelay"), expected, parse::span);
    set(&mut hub.redelivery_delay, delay);
    hub.throw_on_raise_event = config.flag(
        &at("throwStatusExceptionsOnRaiseEvent"),
        hub.throw_on_raise_event,
    );
    hub.speculative = config.flag(&at("speculative"), hub.speculative);
    hub.purge_running = config.flag(&at("purgeRunningInstances"), hub.purge_running);
    for (name, span) in [
        ("completed", &mut hub.retention.completed),
        ("failed", &mut hub.retention.failed),
        ("terminated", &mut hub.retention.terminated),
        ("canceled", &mut hub.retention.canceled),
    ] {
        let expected = "a time span such as `7.00:00:00`";
        *span = config.get(&at(&format!("retention.{name}")), expected, parse::span);
    }
    hub.default_version = config.text(&at("defaultVersion"));
    let expected = "`None`, `Strict` or `CurrentOrOlder`";
    let strategy = config.get(&at("versionMatchStrategy"), expected, |text| {
        match text.to_ascii_lowercase().as_str() {
            "none" => Some(hub::VersionMatch::None),
            "strict" => Some(hub::VersionMatch::Strict),
            "currentorolder" => Some(hub::VersionMatch::CurrentOrOlder),
            _ => None,
        }
    });
    set(&mut hub.version_match, strategy);
    let strategy = config.get(
        &at("versionFailureStrategy"),
        "`Reject` or `Fail`",
        |text| match text.to_ascii_lowercase().as_str() {
            "reject" => Some(hub::VersionFailure::Reject),
            "fail" => Some(hub::VersionFailure::Fail),
            _ => None,
        },
    );
    set(&mut hub.version_failure, strategy);
    let strays = config.get(
        &at("nondeterminism"),
        "`fail` or `suspend`",
        |text| match text.to_ascii_lowercase().as_str() {
            "fail" => Some(hub::Nondeterminism::Fail),
            "suspend" => Some(hub::Nondeterminism::Suspend),
            _ => None,
        },
    );
    set(&mut hub.nondeterminism, strays);
    let reuse = at("overridableExistingInstanceStates");
    let any_state = config.get(
        &reuse,
        "`NonRunningStates` or `AnyState`",
        |text| match text {
            "NonRunningStates" => Some(false),
            "AnyState" => Some(true),
            _ => None,
        },
    );
    set(&mut hub.overridable_any_state, any_state);
    hub
}

/// `limits`: how large things may become, and from where on the log says that they do.
fn read_limits(config: &mut Config<'_>, hub: &mut hub::Settings) {
    let mut read = |name: &str, expected: &str, range: RangeInclusive<usize>, limit: &mut usize| {
        let key = format!("extensions.durableTask.limits.{name}");
        let number = config.get(&key, expected, |text| {
            text.parse().ok().filter(|number| range.contains(number))
        });
        set(limit, number);
    };
    let bytes = "a number of bytes from 1024 to 536870912";
    let bytes_range = 1024..=512 * 1024 * 1024;
    let positive = "a number from 1 on";
    read(
        "payloadBytes",
        bytes,
        bytes_range,
        &mut hub.max_payload_bytes,
    );
    read(
        "payloadWarningBytes",
        positive,
        1..=usize::MAX,
        &mut hub.large_payload_bytes,
    );
    let kilobytes = "a number of kilobytes from 1 to 65536";
    read(
        "customStatusKilobytes",
        kilobytes,
        1..=65_536,
        &mut hub.max_custom_status_kib,
    );
    read(
        "historyWarningEvents",
        positive,
        1..=usize::MAX,
        &mut hub.long_history_events,
    );
    read(
        "messagesPerTurn",
        positive,
        1..=usize::MAX,
        &mut hub.max_batch,
    );
    read(
        "generationsPerTurn",
        positive,
        1..=usize::MAX,
        &mut hub.max_generations,
    );
}

/// `httpSettings`: what the engine does with requests, and how they are sent.
#[cfg(feature = "http-client")]
fn read_call_http(config: &mut Config<'_>, hub: &mut HttpSettings) -> call_http::Settings {
    let at = |name: &str| format!("extensions.durableTask.httpSettings.{name}");
    let mut own = call_http::Settings::default();
    let interval = config.number(&at("defaultAsyncRequestSleepTimeMilliseconds"));
    set(&mut hub.poll_interval, interval.map(Duration::from_millis));
    hub.idempotency_keys = config.flag(&at("idempotencyKeys"), hub.idempotency_keys);
    set(
        &mut hub.max_concurrent,
        config.number(&at("maxConcurrentRequests")),
    );
    own.max_concurrent = hub.max_concurrent;
    set(
        &mut own.max_response_bytes,
        config.number(&at("maxResponseBytes")),
    );
    set(&mut own.max_redirects, config.number(&at("maxRedirects")));
    let expected = "a time span such as `00:04:00`, longer than none";
    let timeout = config.get(&at("requestTimeout"), expected, |text| {
        parse::span(text).filter(|span| !span.is_zero())
    });
    set(&mut own.request_timeout, timeout);
    let expected =
        "hosts such as `[\"api.example.com\", \"*.example.org\"]`, without scheme and path";
    let hosts = config.get(&at("allowedHosts"), expected, call_http::hosts);
    set(&mut own.allowed_hosts, hosts);
    own.deny_private = config.flag(&at("denyPrivateAddresses"), own.deny_private);
    own
}

fn hub_name(config: &mut Config<'_>, variables: &Variables, root: &Path) -> String {
    let key = "extensions.durableTask.hubName";
    let explicit = config.get(key, hub_name::EXPECTED, |name| {
        hub_name::is_valid(name).then(|| name.to_owned())
    });
    explicit.unwrap_or_else(|| hub_name::derive(&app_name(variables, root)))
}

fn read_http(config: &mut Config<'_>, variables: &Variables, local: &LocalHost) -> Settings {
    let own = Settings::default();
    let at = |name: &str| format!("extensions.http.{name}");
    let body = variables.get("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT");
    Settings {
        route_prefix: config.text(&at("routePrefix")).unwrap_or(own.route_prefix),
        most_specific_first: config.flag(&at("mostSpecificRouteFirst"), false),
        max_body: body
            .and_then(|bytes| bytes.parse().ok())
            .unwrap_or(own.max_body),
        max_url: own.max_url,
        use_forwarded_host: config.flag(
            "extensions.durableTask.httpSettings.useForwardedHost",
            false,
        ),
        function_timeout: time_limit(config, "functionTimeout").unwrap_or(own.function_timeout),
        response_timeout: time_limit(config, &at("responseTimeout"))
            .unwrap_or(own.response_timeout),
        max_outstanding: limit(config, &at("maxOutstandingRequests")),
        max_concurrent: limit(config, &at("maxConcurrentRequests")),
        trust_principal: variables.flag("WEBSITE_AUTH_ENABLED"),
        isolated_admin: variables.flag("FUNCTIONS_ADMIN_ISOLATION_ENABLED"),
        home_page: !variables.flag("AzureWebJobsDisableHomepage"),
        webhooks_over_http: variables.flag("MS_WebHookDisableHttpsCheck"),
        custom_headers: headers(config),
        hsts: Hsts::read(config),
        cors: cors(variables, local),
        proxies: proxies(config),
    }
}

/// `-1` is no limit.
fn limit(config: &mut Config<'_>, key: &str) -> Option<usize> {
    let number = |text: &str| match text.parse::<i64>().ok()? {
        -1 => Some(None),
        number => usize::try_from(number).ok().map(Some),
    };
    config
        .get(key, "a number, or -1 for no limit", number)
        .flatten()
}

/// `-1` is no limit; at least a second.
fn time_limit(config: &mut Config<'_>, key: &str) -> Option<Option<Duration>> {
    let expected = "a time span such as `00:05:00`, of a second at least, or -1 for no limit";
    config.get(key, expected, |text| {
        if text == "-1" {
            return Some(None);
        }
        let span = parse::span(text)?;
        (span >= Duration::from_secs(1)).then_some(Some(span))
    })
}

/// As the platform's settings say, else as `local.settings.json` does.
fn cors(variables: &Variables, local: &LocalHost) -> Cors {
    if variables.flag("FUNCTIONS_ENABLE_CORS_CONFIGURATION") {
        let origins = variables.get("CORS_ALLOWED_ORIGINS").unwrap_or_default();
        let credentials = variables.flag("CORS_SUPPORT_CREDENTIALS");
        return match serde_json::from_str(origins) {
            Ok(list) => Cors::new(list, credentials),
            Err(_) => Cors::of_list(origins, credentials),
        };
    }
    Cors::of_list(
        local.cors.as_deref().unwrap_or_default(),
        local.cors_credentials,
    )
}

fn proxies(config: &mut Config<'_>) -> Proxies {
    let key = "extensions.http.trustedProxies";
    Proxies::parse(&config.list(key)).unwrap_or_else(|wrong| {
        config.fault(key, &wrong, "addresses and networks, such as `10.0.0.0/8`");
        Proxies::default()
    })
}

fn headers(config: &mut Config<'_>) -> Vec<(HeaderName, HeaderValue)> {
    let key = "extensions.http.customHeaders";
    let mut headers = Vec::new();
    for (name, value) in config.members(key) {
        match (name.parse(), value.parse()) {
            (Ok(name), Ok(value)) => headers.push((name, value)),
            _ => config.fault(
                key,
                &format!("{name}: {value}"),
                "names and values of headers",
            ),
        }
    }
    headers
}

fn set<T>(target: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *target = value;
    }
}

/// The site's name, else the package's, else the program's.
fn app_name(variables: &Variables, root: &Path) -> String {
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
    variables
        .get("WEBSITE_SITE_NAME")
        .map(str::to_owned)
        .or_else(program)
        .or_else(package)
        .unwrap_or_default()
}
