//! The keys of `host.json` that have a meaning, here or in the reference; any other is a typo, most likely.

/// Below `extensions.durableTask`.
const DURABLE_TASK: &[&str] = &[
    "hubName",
    "defaultVersion",
    "versionMatchStrategy",
    "versionFailureStrategy",
    "nondeterminism",
    "maxConcurrentActivityFunctions",
    "maxConcurrentOrchestratorFunctions",
    "maxConcurrentEntityFunctions",
    "maxOrchestrationActions",
    "maxEntityOperationBatchSize",
    "entityMessageReorderWindowInMinutes",
    "rollbackEntityOperationsOnExceptions",
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
    "maxGrpcMessageSizeInBytes",
    "grpcHttpClientTimeout",
    "localRpcEndpointEnabled",
    "speculative",
    "purgeRunningInstances",
    "gracePeriodInSeconds",
    "maxActivityDeliveries",
    "redeliveryDelay",
    "retention",
    "appLeaseOptions",
    "limits",
];

/// Below `extensions.durableTask.limits`.
const LIMITS: &[&str] = &[
    "payloadBytes",
    "payloadWarningBytes",
    "customStatusKilobytes",
    "historyWarningEvents",
    "messagesPerTurn",
    "generationsPerTurn",
];

/// Below `extensions.durableTask.httpSettings`.
const HTTP_SETTINGS: &[&str] = &[
    "defaultAsyncRequestSleepTimeMilliseconds",
    "useForwardedHost",
    "maxResponseBytes",
    "maxRedirects",
    "requestTimeout",
    "allowedHosts",
    "denyPrivateAddresses",
    "idempotencyKeys",
    "maxConcurrentRequests",
];

/// Below `extensions.durableTask.retention`.
const RETENTION: &[&str] = &["completed", "failed", "terminated", "canceled"];

/// Below `extensions.durableTask.storageProvider`.
const STORAGE_PROVIDER: &[&str] = &[
    "type",
    "connectionName",
    "connectionStringName",
    "maxQueuePollingInterval",
    "controlQueueBatchSize",
    "controlQueueBufferThreshold",
    "partitionCount",
    "controlQueueVisibilityTimeout",
    "workItemQueueVisibilityTimeout",
    "fetchLargeMessagesAutomatically",
    "trackingStoreConnectionName",
    "trackingStoreNamePrefix",
    "durability",
];

/// Below `extensions.durableTask.tracing`.
const TRACING: &[&str] = &[
    "traceInputsAndOutputs",
    "traceReplayEvents",
    "distributedTracingEnabled",
    "version",
];

/// Below `extensions.durableTask.notifications`.
const NOTIFICATIONS: &[&str] = &["eventGrid"];

/// Below `extensions.durableTask.notifications.eventGrid`.
const EVENT_GRID: &[&str] = &[
    "topicEndpoint",
    "keySettingName",
    "publishRetryCount",
    "publishRetryInterval",
    "publishRetryHttpStatus",
    "publishEventTypes",
];

/// Below `extensions.http`.
const HTTP: &[&str] = &[
    "routePrefix",
    "mostSpecificRouteFirst",
    "maxOutstandingRequests",
    "maxConcurrentRequests",
    "dynamicThrottlesEnabled",
    "enableChunkedRequestBinding",
    "responseTimeout",
    "trustedProxies",
    "hsts",
    "customHeaders",
];

/// Below `extensions.http.hsts`.
const HSTS: &[&str] = &[
    "isEnabled",
    "maxAge",
    "includeSubDomains",
    "preload",
    "excludedHosts",
];

/// The sections whose keys are all known.
pub(super) const SECTIONS: [(&str, &[&str]); 10] = [
    ("durableTask", DURABLE_TASK),
    ("durableTask.httpSettings", HTTP_SETTINGS),
    ("durableTask.limits", LIMITS),
    ("durableTask.retention", RETENTION),
    ("durableTask.storageProvider", STORAGE_PROVIDER),
    ("durableTask.tracing", TRACING),
    ("durableTask.notifications", NOTIFICATIONS),
    ("durableTask.notifications.eventGrid", EVENT_GRID),
    ("http", HTTP),
    ("http.hsts", HSTS),
];

/// The known name that is most like that one.
pub(super) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let name = name.to_lowercase();
    let distances = known
        .iter()
        .map(|known| (distance(&name, &known.to_lowercase()), *known));
    let nearest = distances.min_by_key(|(distance, _)| *distance);
    nearest
        .filter(|(distance, _)| *distance <= 1 + name.len() / 4)
        .map(|(_, known)| known)
}

/// Characters to insert, remove or replace.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, a) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (column, b) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys that are only accepted are left out there; the log names them.
    #[test]
    fn every_key_that_has_an_effect_is_in_the_guide() {
        let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/");
        let read = |name: &str| std::fs::read_to_string(format!("{docs}{name}")).unwrap();
        let guide = [
            read("settings.md"),
            read("durable-http.md"),
            read("notifications.md"),
        ]
        .concat();
        for (section, keys) in SECTIONS
            .iter()
            .filter(|(section, _)| !section.starts_with("http"))
        {
            for key in *keys {
                let told = guide.contains(key);
                let unused = super::super::unused::is_unused(&format!("{section}.{key}"));
                assert!(told || unused, "`{section}.{key}`");
            }
        }
    }
}
