//! [`Host`]: functions, settings, hub, keys and HTTP put together. Checked as a whole before a port opens.

mod banner;
mod config;
mod dispatch;
mod hub_name;
mod serve;
mod settings;
mod shared;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use actix_web::web::ServiceConfig;
use durable_runtime::{DurableClient, Result, States};

pub use serve::RunningHost;
#[cfg(test)]
pub(crate) use settings::Settings;
pub(crate) use shared::{Shared, Target};

type Configure = Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>;

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
    configure: Vec<Configure>,
    client: DurableClient,
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
            configure: Vec::new(),
            client: DurableClient::unbound(),
        }
    }

    /// Gives functions a value, which they take as `State<S>`.
    pub fn with_state<S: Send + Sync + 'static>(mut self, state: S) -> Self {
        self.states.insert(state);
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

    /// Where to listen, `ip:port`; port 0 takes any.
    pub fn with_address(mut self, address: impl Into<String>) -> Self {
        self.address = Some(address.into());
        self
    }

    /// Only the engine: no port, no keys.
    pub fn without_http(mut self) -> Self {
        self.http = false;
        self
    }

    /// Plain actix-web services beside the functions; they come first.
    pub fn configure(
        mut self,
        configure: impl Fn(&mut ServiceConfig) + Clone + Send + Sync + 'static,
    ) -> Self {
        self.configure.push(Arc::new(configure));
        self
    }

    /// A client of the hub; its calls wait until the host runs.
    #[must_use]
    pub fn client(&self) -> DurableClient {
        self.client.clone()
    }

    /// Does what the command line says: serves, unless it says something else. Returns after a clean stop; a refusal ends the process with
    /// status 1, wrong usage with 2.
    ///
    /// # Errors
    /// Whatever keeps it from serving, where there is no command line (feature `cli` off).
    pub fn run(self) -> Result<()> {
        #[cfg(feature = "cli")]
        match crate::cli::run(self, std::env::args_os()) {
            0 => Ok(()),
            code => std::process::exit(code.into()),
        }
        #[cfg(not(feature = "cli"))]
        serve::serve(self, serve::How::default(), None)
    }

    /// Starts within a program of one's own, on its tokio runtime.
    ///
    /// # Errors
    /// Faults of functions and settings, all together; a hub that another host holds; a port that is taken.
    pub async fn start(self) -> Result<RunningHost> {
        let client = self.client.clone();
        let started = serve::start(self, &serve::How::default(), None).await;
        if let Err(error) = &started {
            client.abandon(format!("the host did not start: {error}"));
        }
        started
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

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("script_root", &self.script_root)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
