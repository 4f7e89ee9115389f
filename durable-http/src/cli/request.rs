//! What the commands of `instances` ask of a hub, whichever way it is reached.

use durable_runtime::model::{Payload, RuntimeStatus};
use durable_runtime::store::ListQuery;

/// What is listed.
pub(super) struct Filter {
    pub(super) statuses: Vec<RuntimeStatus>,
    pub(super) prefix: Option<String>,
    pub(super) top: usize,
}

impl Filter {
    pub(super) fn query(&self) -> ListQuery {
        ListQuery {
            statuses: self.statuses.clone(),
            id_prefix: self.prefix.clone(),
            entities: self.entities(),
            limit: self.top,
            input: true,
            ..ListQuery::default()
        }
    }

    /// As parameters of the webhook; it is asked for `top` instances.
    pub(super) fn pairs(&self, top: usize) -> Vec<(&'static str, String)> {
        let mut pairs = vec![("top", top.to_string())];
        pairs.extend(
            self.prefix
                .clone()
                .map(|prefix| ("instanceIdPrefix", prefix)),
        );
        let statuses = self.statuses.iter();
        pairs.extend(statuses.map(|status| ("runtimeStatus", status.to_string())));
        pairs
    }

    /// Entities are shown to those who ask for them by prefix.
    pub(super) fn entities(&self) -> bool {
        self.prefix
            .as_deref()
            .is_some_and(|prefix| prefix.starts_with('@'))
    }
}

/// What is started.
pub(super) struct NewStart {
    pub(super) name: String,
    pub(super) id: Option<String>,
    pub(super) input: Option<Payload>,
    pub(super) version: Option<String>,
}

/// What an instance is told.
pub(super) enum Message {
    Event {
        name: String,
        data: Payload,
    },
    Terminate {
        reason: Option<String>,
        recursive: bool,
    },
    Suspend {
        reason: Option<String>,
    },
    Resume {
        reason: Option<String>,
    },
    Rewind {
        reason: Option<String>,
    },
}

impl Message {
    pub(super) const fn verb(&self) -> &'static str {
        match self {
            Self::Event { .. } => "raise an event to",
            Self::Terminate { .. } => "terminate",
            Self::Suspend { .. } => "suspend",
            Self::Resume { .. } => "resume",
            Self::Rewind { .. } => "rewind",
        }
    }

    pub(super) fn reason(&self) -> Option<&str> {
        match self {
            Self::Event { .. } => None,
            Self::Terminate { reason, .. }
            | Self::Suspend { reason }
            | Self::Resume { reason }
            | Self::Rewind { reason } => reason.as_deref(),
        }
    }
}
