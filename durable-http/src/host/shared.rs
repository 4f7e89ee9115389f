//! [`Shared`]: what every handler can reach.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use actix_web::web;
use durable_runtime::DurableClient;

use super::lifecycle::Lifecycle;
use super::listing::Listed;
use super::settings::Settings;
use super::throttle::Throttle;
use crate::binding::HttpRegistration;
use crate::keys::Keys;
use crate::routes::Table;

/// What every handler can reach.
#[derive(Debug)]
pub struct Shared {
    pub(crate) client: DurableClient,
    /// In memory: no database call to authorise a request.
    pub(crate) keys: Keys,
    /// `false`: every request is the administrator's.
    pub(crate) auth: bool,
    pub(crate) settings: Settings,
    /// The host's own name, with its port.
    pub(crate) own_host: OnceLock<String>,
    pub(crate) table: Table<Target>,
    pub(crate) throttle: Throttle,
    pub(crate) lifecycle: Lifecycle,
    /// Sorted as lists show them.
    pub(crate) functions: Vec<Listed>,
    /// What settings came to, for administrators; without secrets.
    pub(crate) resolved: serde_json::Value,
    pub(crate) script_root: PathBuf,
}

#[cfg(test)]
impl Shared {
    /// Of a host without functions that asks for keys.
    pub(crate) fn without_functions(client: DurableClient, keys: Keys, settings: Settings) -> Self {
        Self {
            client,
            keys,
            auth: true,
            throttle: Throttle::new(settings.max_outstanding, settings.max_concurrent),
            settings,
            own_host: OnceLock::new(),
            lifecycle: Lifecycle::new(std::path::Path::new("nowhere")),
            functions: Vec::new(),
            resolved: serde_json::Value::Null,
            script_root: PathBuf::new(),
            table: Table::build("api", false, Vec::new()).unwrap(),
        }
    }
}

/// Where a route leads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    pub(crate) function: &'static HttpRegistration,
    pub(crate) disabled: bool,
}

/// Hosts of this process that serve: how a client finds its own without a request.
static SERVING: Mutex<Vec<Weak<Shared>>> = Mutex::new(Vec::new());

impl Shared {
    /// The function of that name, in any case.
    pub(crate) fn function(&self, name: &str) -> Option<&Listed> {
        let mut all = self.functions.iter();
        all.find(|listed| listed.name.eq_ignore_ascii_case(name))
    }

    /// Scheme and host by the host's own name.
    pub(crate) fn own_origin(&self) -> String {
        let host = self.own_host.get().map_or("localhost", String::as_str);
        let local = host == "localhost" || host.starts_with("localhost:");
        format!("{}://{host}", if local { "http" } else { "https" })
    }

    /// Makes it known to [`Self::serving`].
    pub(crate) fn publish(shared: &web::Data<Self>) {
        let mut serving = SERVING.lock().unwrap_or_else(PoisonError::into_inner);
        serving.retain(|other| other.strong_count() > 0);
        serving.push(Arc::downgrade(&web::Data::clone(shared).into_inner()));
    }

    /// The host that serves this client's hub.
    pub(crate) fn serving(client: &DurableClient) -> Option<Arc<Self>> {
        let serving = SERVING.lock().unwrap_or_else(PoisonError::into_inner);
        serving
            .iter()
            .filter_map(Weak::upgrade)
            .find(|shared| shared.client.is_same_hub(client))
    }
}
