//! What the tests give a store, and short ways to give it.

use std::sync::Arc;

use anyhow::Context;
use tokio::sync::oneshot;

use crate::model::{ExecutionStarted, HistoryEvent, Payload, RuntimeStatus, Timestamp};
use crate::store::{
    Change, Error, InstanceKey, LoadedInstance, NewInstance, NewMessage, Parts, Receipt, Reuse,
    Store, TurnCommit,
};

/// Short ways to use a store.
pub(crate) struct Given<'a, S>(&'a S);

/// Wraps a store.
pub(crate) const fn given<S: Store>(store: &S) -> Given<'_, S> {
    Given(store)
}

pub(crate) fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

impl<S: Store> Given<'_, S> {
    /// Submits at once; the answer comes later.
    pub(crate) fn submit(&self, change: Change) -> oneshot::Receiver<Result<Receipt, Error>> {
        let (answer, answered) = oneshot::channel();
        self.0.submit(
            change,
            Box::new(move |result| {
                let _ = answer.send(result);
            }),
        );
        answered
    }

    /// Submits and waits.
    pub(crate) async fn write(&self, change: Change) -> Result<Receipt, Error> {
        self.submit(change)
            .await
            .unwrap_or_else(|_| Err(Error::Backend("no answer".to_owned())))
    }

    /// An instance to be created at instant 1000.
    pub(crate) fn instance(&self, id: &str) -> NewInstance {
        NewInstance {
            key: InstanceKey(self.0.ids().next()),
            id: Arc::from(id),
            started: ExecutionStarted {
                name: Arc::from("Hello"),
                version: "1.0".to_owned(),
                execution_id: Arc::from(format!("execution-{id}")),
                parent: None,
                scheduled_start: None,
                generation: 0,
                tags: [("team".to_owned(), "red".to_owned())].into(),
                trace_parent: None,
                input: Some(Payload::text("input")),
            },
            created: at(1000),
            reuse: Reuse::NonRunning,
            on_refused: None,
        }
    }

    /// A pending instance.
    pub(crate) async fn pending(&self, id: &str) -> Result<InstanceKey, Error> {
        let new = self.instance(id);
        let key = new.key;
        self.write(Change::Create(Box::new(new))).await.map(|_| key)
    }

    /// An instance that has run one turn and runs on.
    pub(crate) async fn running(&self, id: &str) -> Result<InstanceKey, Error> {
        let key = self.pending(id).await?;
        self.write(turn(self.turn(key, id, 0))).await.map(|_| key)
    }

    /// An instance that has ended so.
    pub(crate) async fn ended(
        &self,
        id: &str,
        status: RuntimeStatus,
        created: i64,
    ) -> Result<InstanceKey, Error> {
        let new = NewInstance {
            created: at(created),
            ..self.instance(id)
        };
        let mut commit = self.turn(new.key, id, 0);
        let key = new.key;
        commit.create = Some(Box::new(new));
        commit.status = status;
        self.write(turn(commit)).await.map(|_| key)
    }

    /// A turn that does nothing but be there.
    pub(crate) fn turn(&self, key: InstanceKey, id: &str, sequence: i64) -> TurnCommit {
        TurnCommit {
            key,
            id: Arc::from(id),
            create: None,
            expected_sequence: sequence,
            events: Some(json(&[
                HistoryEvent::OrchestratorStarted { at: at(sequence) },
                HistoryEvent::OrchestratorCompleted,
            ])),
            new_generation: None,
            status: RuntimeStatus::Running,
            updated: at(2000 + sequence),
            wake_at: None,
            payloads: Vec::new(),
            consumed: Vec::new(),
            messages: Vec::new(),
            starts: Vec::new(),
            settled: Vec::new(),
            outbox: Vec::new(),
        }
    }

    /// A message.
    pub(crate) fn message(&self, to: &str, name: &str) -> NewMessage {
        NewMessage {
            id: self.0.ids().next(),
            to: Arc::from(to),
            execution_id: None,
            event: HistoryEvent::EventRaised {
                name: name.to_owned(),
                data: Payload::null(),
            },
            created: at(1500),
        }
    }

    /// The instance, which must be there.
    pub(crate) async fn load(&self, id: &str) -> anyhow::Result<LoadedInstance> {
        self.0
            .load(id)
            .await?
            .with_context(|| format!("instance `{id}` is missing"))
    }

    /// Its status, if it is there.
    pub(crate) async fn status(&self, id: &str) -> Result<Option<RuntimeStatus>, Error> {
        Ok(self
            .0
            .find(
                id,
                Parts {
                    input: false,
                    result: false,
                },
            )
            .await?
            .map(|record| record.status))
    }

    /// Ids of all instances that want to be looked at by instant `until`.
    pub(crate) async fn awake(&self, until: i64) -> Result<Vec<String>, Error> {
        Ok(self
            .0
            .wakes(at(until), None, 1000)
            .await?
            .into_iter()
            .map(|wake| wake.id)
            .collect())
    }
}

/// The change.
pub(crate) fn turn(commit: TurnCommit) -> Change {
    Change::Turn(Box::new(commit))
}

/// A client's message that any running or pending instance accepts.
pub(crate) fn raise(message: NewMessage) -> Change {
    Change::Message {
        message,
        accepted: vec![RuntimeStatus::Running, RuntimeStatus::Pending],
    }
}

/// Events as a turn holds them.
pub(crate) fn json(events: &[HistoryEvent]) -> String {
    serde_json::to_string(events).unwrap_or_default()
}
