//! [`Listed`]: the functions of a host as lists show them, whatever triggers them.

use durable_runtime::Registry;
use durable_runtime::timer::{ScheduledTimer, Timetable};

use super::Target;
use crate::binding::HttpRegistration;
use crate::routes::{Shape, Table};

/// A function as lists show it.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) name: String,
    /// `httpTrigger`, `orchestrationTrigger`, `activityTrigger`, ..
    pub(crate) trigger: &'static str,
    /// By the setting `AzureWebJobs.<name>.Disabled`.
    pub(crate) disabled: bool,
    /// The versions of an orchestrator; `None`: one without.
    #[cfg(feature = "cli")]
    pub(crate) versions: Vec<Option<&'static str>>,
    pub(crate) http: Option<HttpListed>,
    /// What only timer functions have.
    pub(crate) timer: Option<ScheduledTimer>,
}

/// What only HTTP functions have.
#[derive(Debug, Clone)]
pub(crate) struct HttpListed {
    pub(crate) function: &'static HttpRegistration,
    /// The template with its prefix: `/api/x/{y}`.
    pub(crate) route: String,
    /// The paths that the template stands for.
    pub(crate) shapes: Vec<Shape>,
    /// Upper case; empty: all.
    pub(crate) methods: Vec<String>,
}

/// All functions: HTTP first, in the order of their routes, then by kind and name.
pub(crate) fn all(registry: &Registry, table: &Table<Target>, timers: &Timetable) -> Vec<Listed> {
    let http = table.iter().map(|route| Listed {
        name: route.function().to_owned(),
        trigger: "httpTrigger",
        disabled: route.target.disabled,
        #[cfg(feature = "cli")]
        versions: Vec::new(),
        http: Some(HttpListed {
            function: route.target.function,
            route: route.template().text().to_owned(),
            shapes: route.template().shapes(),
            methods: route.methods().to_vec(),
        }),
        timer: None,
    });
    let of = |trigger, names: Vec<&'static str>| {
        names.into_iter().map(move |name| Listed {
            name: name.to_owned(),
            trigger,
            disabled: registry.is_disabled(name),
            #[cfg(feature = "cli")]
            versions: registry.versions(name),
            http: None,
            timer: None,
        })
    };
    let timers = timers.iter().map(|timer| Listed {
        name: timer.timer.name.to_owned(),
        trigger: "timerTrigger",
        disabled: timer.disabled,
        #[cfg(feature = "cli")]
        versions: Vec::new(),
        http: None,
        timer: Some(timer.clone()),
    });
    http.chain(of("orchestrationTrigger", registry.orchestrator_names()))
        .chain(of("activityTrigger", registry.activity_names()))
        .chain(of("entityTrigger", registry.entity_names()))
        .chain(timers)
        .collect()
}
