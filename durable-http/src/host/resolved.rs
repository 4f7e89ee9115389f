//! What settings came to, for administrators: values of options, but only the names of settings, which may be secrets.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::durability;
use super::settings::Told;

const HIDDEN: &str = "[Hidden Credential]";

pub(super) fn of(told: &Told) -> Value {
    let (http, hub) = (&told.http, &told.hub);
    let headers: Map<String, Value> = http
        .custom_headers
        .iter()
        .map(|(name, value)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into(),
            )
        })
        .collect();
    let settings: Map<String, Value> = told
        .environment
        .names()
        .map(|name| (name.to_owned(), HIDDEN.into()))
        .collect();
    let number = |limit: Option<usize>| limit.map_or(json!(-1), |limit| json!(limit));
    json!({
        "functionTimeout": span(http.function_timeout),
        "extensions": {
            "http": {
                "routePrefix": http.route_prefix,
                "mostSpecificRouteFirst": http.most_specific_first,
                "maxOutstandingRequests": number(http.max_outstanding),
                "maxConcurrentRequests": number(http.max_concurrent),
                "responseTimeout": span(http.response_timeout),
                "customHeaders": headers,
            },
            "durableTask": {
                "hubName": hub.hub_name,
                "connectionName": hub.connection,
                "maxConcurrentActivityFunctions": hub.max_concurrent_activities,
                "maxConcurrentOrchestratorFunctions": hub.max_concurrent_orchestrations,
                "maxOrchestrationActions": hub.max_actions,
                "extendedSessionIdleTimeoutInSeconds": hub.idle_timeout.as_secs(),
                "gracePeriodInSeconds": hub.grace_period.as_secs(),
                "overridableExistingInstanceStates":
                    if hub.overridable_any_state { "AnyState" } else { "NonRunningStates" },
                "throwStatusExceptionsOnRaiseEvent": hub.throw_on_raise_event,
                "speculative": hub.speculative,
                "purgeRunningInstances": hub.purge_running,
                "defaultVersion": hub.default_version,
                "storageProvider": { "durability": durability::name(told.durability) },
                "httpSettings": { "useForwardedHost": http.use_forwarded_host },
            },
        },
        "maxRequestBodyBytes": http.max_body,
        "database": told.hub_path,
        "settings": settings,
    })
}

/// As `host.json` writes it; `-1` is no limit.
fn span(span: Option<Duration>) -> String {
    let Some(span) = span else {
        return "-1".to_owned();
    };
    let seconds = span.as_secs();
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    let text = format!("{hours:02}:{:02}:{:02}", seconds / 60 % 60, seconds % 60);
    match days {
        0 => text,
        days => format!("{days}.{text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_written_as_they_are_read() {
        for (seconds, text) in [(1, "00:00:01"), (1800, "00:30:00"), (90_061, "1.01:01:01")] {
            assert_eq!(span(Some(Duration::from_secs(seconds))), text);
        }
        assert_eq!(span(None), "-1");
    }
}
