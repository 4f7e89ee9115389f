//! What settings came to, for administrators: values of options, but only the names of settings, which may be secrets.

use std::time::Duration;

use durable_runtime::durable_http::time_span;
use durable_runtime::hub::{Nondeterminism, VersionFailure, VersionMatch};
use serde_json::{Map, Value, json};

use super::durability;
use super::hsts::Hsts;
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
                "trustedProxies": http.proxies.shown(),
                "hsts": http.hsts.as_ref().map_or_else(Hsts::off, Hsts::shown),
            },
            "durableTask": {
                "hubName": hub.hub_name,
                "connectionName": hub.connection,
                "maxConcurrentActivityFunctions": hub.max_concurrent_activities,
                "maxConcurrentOrchestratorFunctions": hub.max_concurrent_orchestrations,
                "maxConcurrentEntityFunctions": hub.max_concurrent_entities,
                "maxEntityOperationBatchSize": hub.max_entity_batch,
                "rollbackEntityOperationsOnExceptions": hub.rollback_entity_operations,
                "maxOrchestrationActions": hub.max_actions,
                "maxActivityDeliveries": hub.max_deliveries,
                "redeliveryDelay": time_span(hub.redelivery_delay),
                "extendedSessionsEnabled": !hub.idle_timeout.is_zero(),
                "extendedSessionIdleTimeoutInSeconds": hub.idle_timeout.as_secs(),
                "gracePeriodInSeconds": hub.grace_period.as_secs(),
                "overridableExistingInstanceStates":
                    if hub.overridable_any_state { "AnyState" } else { "NonRunningStates" },
                "throwStatusExceptionsOnRaiseEvent": hub.throw_on_raise_event,
                "speculative": hub.speculative,
                "purgeRunningInstances": hub.purge_running,
                "defaultVersion": hub.default_version,
                "versionMatchStrategy": version_match(hub.version_match),
                "versionFailureStrategy": version_failure(hub.version_failure),
                "limits": {
                    "payloadBytes": hub.max_payload_bytes,
                    "payloadWarningBytes": hub.large_payload_bytes,
                    "customStatusKilobytes": hub.max_custom_status_kib,
                    "historyWarningEvents": hub.long_history_events,
                    "messagesPerTurn": hub.max_batch,
                    "generationsPerTurn": hub.max_generations,
                },
                "nondeterminism": match hub.nondeterminism {
                    Nondeterminism::Suspend => "suspend",
                    _ => "fail",
                },
                "retention": {
                    "completed": hub.retention.completed.map(time_span),
                    "failed": hub.retention.failed.map(time_span),
                    "terminated": hub.retention.terminated.map(time_span),
                    "canceled": hub.retention.canceled.map(time_span),
                },
                "storageProvider": { "durability": durability::name(told.durability) },
                "httpSettings": http_settings(told),
            },
        },
        "maxRequestBodyBytes": http.max_body,
        "database": told.hub_path,
        "settings": settings,
    })
}

/// What is said of requests that come in and of those that go out.
#[cfg(feature = "http-client")]
fn http_settings(told: &Told) -> Value {
    let (sent, hub) = (&told.call_http, &told.hub.http);
    let interval = u64::try_from(hub.poll_interval.as_millis()).unwrap_or(u64::MAX);
    json!({
        "useForwardedHost": told.http.use_forwarded_host,
        "defaultAsyncRequestSleepTimeMilliseconds": interval,
        "idempotencyKeys": hub.idempotency_keys,
        "maxConcurrentRequests": hub.max_concurrent,
        "maxResponseBytes": sent.max_response_bytes,
        "maxRedirects": sent.max_redirects,
        "requestTimeout": time_span(sent.request_timeout),
        "allowedHosts": sent.allowed_hosts,
        "denyPrivateAddresses": sent.deny_private,
    })
}

/// What is said of requests that come in; none goes out.
#[cfg(not(feature = "http-client"))]
fn http_settings(told: &Told) -> Value {
    json!({ "useForwardedHost": told.http.use_forwarded_host })
}

const fn version_match(strategy: VersionMatch) -> &'static str {
    match strategy {
        VersionMatch::None => "None",
        VersionMatch::Strict => "Strict",
        VersionMatch::CurrentOrOlder => "CurrentOrOlder",
    }
}

const fn version_failure(strategy: VersionFailure) -> &'static str {
    match strategy {
        VersionFailure::Reject => "Reject",
        VersionFailure::Fail => "Fail",
    }
}

/// As `host.json` writes it; `-1` is no limit.
fn span(span: Option<Duration>) -> String {
    span.map_or_else(|| "-1".to_owned(), time_span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::config::Variables;

    /// Every key that changes something, with the value that `host.json` gave it.
    #[test]
    fn what_host_json_says_is_what_is_shown() {
        let text = r#"{
            "version": "2.0",
            "functionTimeout": "00:10:00",
            "extensions": {
                "http": {
                    "routePrefix": "own",
                    "mostSpecificRouteFirst": true,
                    "maxOutstandingRequests": 20,
                    "maxConcurrentRequests": 10,
                    "responseTimeout": "00:01:00",
                    "customHeaders": { "x-own": "1" },
                    "trustedProxies": ["10.0.0.0/8", "192.0.2.1/32"]
                },
                "durableTask": {
                    "hubName": "Mine",
                    "defaultVersion": "1.1",
                    "versionMatchStrategy": "Strict",
                    "versionFailureStrategy": "Fail",
                    "nondeterminism": "suspend",
                    "maxConcurrentActivityFunctions": 3,
                    "maxConcurrentOrchestratorFunctions": 4,
                    "maxConcurrentEntityFunctions": 5,
                    "maxEntityOperationBatchSize": 6,
                    "rollbackEntityOperationsOnExceptions": false,
                    "maxOrchestrationActions": 7,
                    "maxActivityDeliveries": 8,
                    "redeliveryDelay": "00:00:09",
                    "extendedSessionsEnabled": true,
                    "extendedSessionIdleTimeoutInSeconds": 11,
                    "gracePeriodInSeconds": 12,
                    "overridableExistingInstanceStates": "AnyState",
                    "throwStatusExceptionsOnRaiseEvent": false,
                    "speculative": true,
                    "purgeRunningInstances": true,
                    "limits": {
                        "payloadBytes": 18000,
                        "payloadWarningBytes": 19,
                        "customStatusKilobytes": 20,
                        "historyWarningEvents": 21,
                        "messagesPerTurn": 22,
                        "generationsPerTurn": 23
                    },
                    "retention": {
                        "completed": "7.00:00:00",
                        "failed": "00:00:01",
                        "terminated": "00:00:02",
                        "canceled": "00:00:03"
                    },
                    "httpSettings": {
                        "useForwardedHost": true,
                        "defaultAsyncRequestSleepTimeMilliseconds": 13,
                        "idempotencyKeys": false,
                        "maxConcurrentRequests": 14,
                        "maxResponseBytes": 15,
                        "maxRedirects": 16,
                        "requestTimeout": "00:00:17",
                        "allowedHosts": ["a.example", "*.b.example"],
                        "denyPrivateAddresses": true
                    }
                }
            }
        }"#;
        let root = std::path::Path::new("app");
        let told = Told::of_text(text, Variables::default(), root).unwrap();
        assert_eq!(told.faults, [""; 0]);
        let given: Value = serde_json::from_str(text).unwrap();
        assert_shown(&given["extensions"], &of(&told)["extensions"], "extensions");
        assert_eq!(of(&told)["functionTimeout"], given["functionTimeout"]);
    }

    fn assert_shown(given: &Value, shown: &Value, place: &str) {
        let Value::Object(members) = given else {
            return assert_eq!(shown, given, "{place}");
        };
        for (name, given) in members {
            assert_shown(given, &shown[name], &format!("{place}.{name}"));
        }
    }

    #[test]
    fn hsts_shows_what_browsers_are_told() {
        let root = std::path::Path::new("app");
        let hsts = |text: &str| {
            let told = Told::of_text(text, Variables::default(), root).unwrap();
            of(&told)["extensions"]["http"]["hsts"].take()
        };
        assert_eq!(hsts(""), json!({ "isEnabled": false }));
        let on = r#"{"version":"2.0","extensions":{"http":{"hsts":{"isEnabled":true,"maxAge":"00:01:00","excludedHosts":["a.b"]}}}}"#;
        let expected =
            json!({ "isEnabled": true, "header": "max-age=60", "excludedHosts": ["a.b"] });
        assert_eq!(hsts(on), expected);
    }

    #[test]
    fn spans_are_written_as_they_are_read() {
        for (seconds, text) in [(1, "00:00:01"), (1800, "00:30:00"), (90_061, "1.01:01:01")] {
            assert_eq!(span(Some(Duration::from_secs(seconds))), text);
        }
        assert_eq!(span(None), "-1");
    }
}
