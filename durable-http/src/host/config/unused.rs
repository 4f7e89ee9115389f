//! Settings of the reference that are accepted and change nothing here: said once at start, and malformed ones are faults all the same.

use super::{Config, parse};

/// What a value must be.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Flag,
    Number,
    Between(u64, u64),
    Span,
    Text,
}

impl Kind {
    fn expected(self) -> String {
        match self {
            Self::Flag => "true or false".to_owned(),
            Self::Number => "a number that is not negative".to_owned(),
            Self::Between(low, high) => format!("a number from {low} to {high}"),
            Self::Span => "a time span such as `00:05:00`".to_owned(),
            Self::Text => "a text".to_owned(),
        }
    }

    fn admits(self, text: &str) -> bool {
        let number = || text.parse::<u64>().ok();
        match self {
            Self::Flag => parse::flag(text).is_some(),
            Self::Number => number().is_some(),
            Self::Between(low, high) => number().is_some_and(|n| (low..=high).contains(&n)),
            Self::Span => parse::span(text).is_some(),
            Self::Text => true,
        }
    }
}

/// Key below `extensions`, what it must be, the value that says what happens anyway, and why another one changes nothing.
type Unused = (&'static str, Kind, &'static str, &'static str);

const NO_QUEUES: &str = "this hub has no queues to poll";
const ONE_OWNER: &str = "one process owns the hub, by the lock of its file";
const NO_GRPC: &str = "this host has no gRPC endpoint yet";
const BY_URL: &str = "the storage is what the connection's URL says";
const NO_EXPORTER: &str = "this host exports no traces";

const UNUSED: &[Unused] = &[
    (
        "durableTask.entityMessageReorderWindowInMinutes",
        Kind::Number,
        "",
        "messages to entities are never out of order",
    ),
    (
        "durableTask.storeInputsInOrchestrationHistory",
        Kind::Flag,
        "true",
        "inputs are always stored",
    ),
    (
        "durableTask.useGracefulShutdown",
        Kind::Flag,
        "true",
        "the host always stops gracefully",
    ),
    ("durableTask.useAppLease", Kind::Flag, "true", ONE_OWNER),
    ("durableTask.appLeaseOptions", Kind::Text, "", ONE_OWNER),
    (
        "durableTask.maxGrpcMessageSizeInBytes",
        Kind::Number,
        "",
        NO_GRPC,
    ),
    ("durableTask.grpcHttpClientTimeout", Kind::Span, "", NO_GRPC),
    (
        "durableTask.localRpcEndpointEnabled",
        Kind::Flag,
        "false",
        NO_GRPC,
    ),
    (
        "durableTask.storageProvider.type",
        Kind::Text,
        "sqlite",
        BY_URL,
    ),
    (
        "durableTask.storageProvider.maxQueuePollingInterval",
        Kind::Span,
        "",
        NO_QUEUES,
    ),
    (
        "durableTask.storageProvider.controlQueueBatchSize",
        Kind::Number,
        "",
        NO_QUEUES,
    ),
    (
        "durableTask.storageProvider.controlQueueBufferThreshold",
        Kind::Between(1, 1000),
        "",
        NO_QUEUES,
    ),
    (
        "durableTask.storageProvider.partitionCount",
        Kind::Between(1, 16),
        "1",
        ONE_OWNER,
    ),
    (
        "durableTask.storageProvider.controlQueueVisibilityTimeout",
        Kind::Span,
        "",
        NO_QUEUES,
    ),
    (
        "durableTask.storageProvider.workItemQueueVisibilityTimeout",
        Kind::Span,
        "",
        NO_QUEUES,
    ),
    (
        "durableTask.storageProvider.fetchLargeMessagesAutomatically",
        Kind::Flag,
        "true",
        "large payloads always lie in the hub",
    ),
    (
        "durableTask.storageProvider.trackingStoreConnectionName",
        Kind::Text,
        "",
        BY_URL,
    ),
    (
        "durableTask.storageProvider.trackingStoreNamePrefix",
        Kind::Text,
        "",
        BY_URL,
    ),
    (
        "durableTask.tracing.traceInputsAndOutputs",
        Kind::Flag,
        "false",
        NO_EXPORTER,
    ),
    (
        "durableTask.tracing.traceReplayEvents",
        Kind::Flag,
        "false",
        NO_EXPORTER,
    ),
    (
        "durableTask.tracing.distributedTracingEnabled",
        Kind::Flag,
        "false",
        NO_EXPORTER,
    ),
    ("durableTask.tracing.version", Kind::Text, "", NO_EXPORTER),
    #[cfg(not(feature = "http-client"))]
    (
        "durableTask.notifications.eventGrid.topicEndpoint",
        Kind::Text,
        "",
        "this program is built without `http-client`",
    ),
    (
        "http.dynamicThrottlesEnabled",
        Kind::Flag,
        "false",
        "use `maxOutstandingRequests` and `maxConcurrentRequests`",
    ),
    (
        "http.enableChunkedRequestBinding",
        Kind::Flag,
        "true",
        "bodies in chunks are always read",
    ),
];

/// Whether the key, or all that is below it, changes nothing.
#[cfg(test)]
pub(super) fn is_unused(key: &str) -> bool {
    let below = format!("{key}.");
    UNUSED
        .iter()
        .any(|(known, ..)| *known == key || known.starts_with(&below))
}

impl Config<'_> {
    /// What is said of settings that are given and change nothing. Malformed ones become faults.
    pub(crate) fn unused(&mut self) -> Vec<String> {
        let mut said = Vec::new();
        for (key, kind, same, why) in UNUSED {
            let key = format!("extensions.{key}");
            let given = self.get(&key, &kind.expected(), |text| {
                kind.admits(text).then(|| text.to_owned())
            });
            if let Some(given) = given.filter(|given| !given.eq_ignore_ascii_case(same)) {
                said.push(format!(
                    "`{key}` is `{given}`, which is accepted and changes nothing: {why}"
                ));
            }
        }
        said
    }
}
