//! [`Listed`]: the functions of a host as lists show them, whatever triggers them.

use durable_runtime::Registry;
use durable_runtime::timer::{ScheduledTimer, Timetable};

use super::Target;
use crate::binding::HttpRegistration;
use crate::routes::Table;

/// A function as lists show it.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) name: String,
    /// `httpTrigger`, `orchestrationTrigger`, `activityTrigger`, ..
    pub(crate) trigger: &'static str,
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
    /// Upper case; empty: all.
    pub(crate) methods: Vec<String>,
    pub(crate) disabled: bool,
}

/// All functions: HTTP first, in the order of their routes, then by kind and name.
pub(crate) fn all(registry: &Registry, table: &Table<Target>, timers: &Timetable) -> Vec<Listed> {
    let http = table.iter().map(|route| Listed {
        name: route.function().to_owned(),
        trigger: "httpTrigger",
        http: Some(HttpListed {
            function: route.target.function,
            route: route.template().text().to_owned(),
            methods: route.methods().to_vec(),
            disabled: route.target.disabled,
        }),
        timer: None,
    });
    let of = |trigger, names: Vec<&'static str>| {
        names.into_iter().map(move |name| Listed {
            name: name.to_owned(),
            trigger,
            http: None,
            timer: None,
        })
    };
    let timers = timers.iter().map(|timer| Listed {
        name: timer.timer.name.to_owned(),
        trigger: "timerTrigger",
        http: None,
        timer: Some(timer.clone()),
    });
    http.chain(of("orchestrationTrigger", registry.orchestrator_names()))
        .chain(of("activityTrigger", registry.activity_names()))
        .chain(of("entityTrigger", registry.entity_names()))
        .chain(timers)
        .collect()
}
