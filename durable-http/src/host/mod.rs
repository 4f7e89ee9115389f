//! [`Host`]: functions, settings, hub, keys and HTTP put together. Checked as a whole before a port opens.

mod auth;
mod banner;
#[cfg(feature = "cli")]
mod command_line;
mod config;
mod configure;
mod cors;
mod dispatch;
mod durability;
mod encryption;
#[cfg(any(test, fuzzing))]
mod fuzz;
mod home;
mod hsts;
mod hub_name;
mod invocation;
mod lifecycle;
mod listen;
mod listing;
mod log_level;
#[cfg(feature = "http-client")]
mod notify;
mod promise;
mod proxies;
mod resolved;
mod serve;
mod settings;
mod shared;
mod storage;
mod throttle;
#[cfg(feature = "tls")]
mod tls;
mod within;
mod worker;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
#[cfg(feature = "http-client")]
use std::sync::Arc;

use actix_web::web::ServiceConfig;
#[cfg(feature = "http-client")]
use durable_runtime::TokenProvider;
use durable_runtime::{DurableClient, Result, States};

use configure::Configure;
#[cfg(any(test, fuzzing))]
pub(crate) use fuzz::fuzz_host_json;
pub(crate) use invocation::Invocation;
pub(crate) use lifecycle::{Changed, Lifecycle};
pub(crate) use listing::{HttpListed, Listed};
use promise::Promise;
pub use serve::RunningHost;
#[cfg(test)]
pub(crate) use settings::Settings;
pub(crate) use shared::{Shared, Target};
pub(crate) use worker::Worker;

#[cfg(feature = "http-client")]
use crate::call_http;

/// A program's functions, to be served.
///
/// ```no_run
/// fn main() -> durable_runtime::Result<()> {
///     durable_http::Host::new().with_address("127.0.0.1:0").run()
/// }
/// ```
#[must_use = "nothing is served until `run` or `start`"]
pub struct Host {
    states: States,
    given: BTreeMap<String, String>,
    script_root: Option<PathBuf>,
    address: Option<String>,
    http: bool,
    auth: Option<bool>,
    #[cfg(feature = "tls")]
    tls: Option<(PathBuf, PathBuf)>,
    configure: Vec<Box<dyn Configure>>,
    #[cfg(feature = "http-client")]
    call_http: call_http::Own,
    client: Promise,
}

impl Default for Host {
    fn default() -> Self {
        Self::new()
    }
}

impl Host {
    /// A host of every function that the program's crates register. Installs ring as the process's TLS provider, unless there is one
    /// (feature `tls`): a `reqwest::Client` that is made before panics.
    pub fn new() -> Self {
        #[cfg(feature = "tls")]
        // Another provider that the program installed is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            states: States::default(),
            given: BTreeMap::new(),
            script_root: None,
            address: None,
            http: true,
            auth: None,
            #[cfg(feature = "tls")]
            tls: None,
            configure: Vec::new(),
            #[cfg(feature = "http-client")]
            call_http: call_http::Own::default(),
            client: Promise::new(),
        }
    }

    /// Gives functions a value, which they take as `State<S>`.
    pub fn with_state<S: Send + Sync + 'static>(mut self, state: S) -> Self {
        self.states.insert(state);
        self
    }

    /// Makes the client behind `ctx.call_http`, and the one that sends lifecycle notifications: its certificates, proxies, headers. Called
    /// once for each; redirects and the rules about addresses stay the host's, whatever the client says of them.
    #[cfg(feature = "http-client")]
    pub fn with_http_client_factory(
        mut self,
        factory: impl Fn() -> reqwest::ClientBuilder + Send + Sync + 'static,
    ) -> Self {
        self.call_http.factory = Some(Arc::new(factory));
        self
    }

    /// Answers for every `TokenSource::custom`.
    #[cfg(feature = "http-client")]
    pub fn with_token_provider(mut self, provider: impl TokenProvider + 'static) -> Self {
        self.call_http.provider = Some(Arc::new(provider));
        self
    }

    /// A setting; wins over the environment and the files.
    pub fn with_setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.given.insert(name.into(), value.into());
        self
    }

    /// Where `host.json`, `local.settings.json` and `.durable/` are.
    pub fn with_script_root(mut self, root: impl Into<PathBuf>) -> Self {
        self.script_root = Some(root.into());
        self
    }

    /// Where to listen, as `127.0.0.1:8080` or `127.0.0.1`, unless the command line says otherwise; port 0 takes any.
    pub fn with_address(mut self, address: impl Into<String>) -> Self {
        self.address = Some(address.into());
        self
    }

    /// Only the engine: no port, no keys.
    pub fn without_http(mut self) -> Self {
        self.http = false;
        self
    }

    /// Serves HTTPS, with HTTP/2, unless the command line names others: PEM files of the certificate chain and of its private key.
    #[cfg(feature = "tls")]
    pub fn with_tls(mut self, cert: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.tls = Some((cert.into(), key.into()));
        self
    }

    /// Whether keys are asked for, unless the command line says otherwise. Without keys the host listens on loopback only.
    pub fn with_auth(mut self, asked_for: bool) -> Self {
        self.auth = Some(asked_for);
        self
    }

    /// Plain actix-web services beside the functions; they come first.
    pub fn configure(
        mut self,
        configure: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    ) -> Self {
        self.configure.push(Box::new(configure));
        self
    }

    /// A client of the hub; its calls wait until the host runs, and fail if it never will.
    #[must_use]
    pub fn client(&self) -> DurableClient {
        self.client.client()
    }

    /// Does what the command line says: serves, unless it says something else. Returns after a clean stop; a refusal ends the process with
    /// status 1, wrong usage with 2.
    ///
    /// # Errors
    /// None so far: `Result` leaves room for a `?` beside it.
    pub fn run(self) -> Result<()> {
        match run(self) {
            0 => Ok(()),
            code => std::process::exit(code.into()),
        }
    }

    /// Starts within a program of one's own, on its tokio runtime.
    ///
    /// # Errors
    /// Faults of functions and settings, all together; a hub that another host holds; a port that is taken.
    pub async fn start(self) -> Result<RunningHost> {
        serve::start(self, &serve::How::default(), None).await
    }

    fn root(&self, flag: Option<&Path>) -> PathBuf {
        let variable = |name: &str| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let named = flag
            .map(Path::to_owned)
            .or_else(|| self.script_root.clone());
        named
            .or_else(|| variable("AzureWebJobsScriptRoot"))
            .or_else(|| variable("CARGO_MANIFEST_DIR"))
            .unwrap_or_else(|| PathBuf::from("."))
    }
}

#[cfg(feature = "cli")]
fn run(host: Host) -> u8 {
    crate::cli::run(host, std::env::args_os())
}

#[cfg(not(feature = "cli"))]
fn run(host: Host) -> u8 {
    match serve::serve(host, serve::How::default(), None) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("error: {error}");
            1
        }
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("script_root", &self.script_root)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
