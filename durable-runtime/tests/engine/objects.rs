//! What failing methods leave of the object of an entity, rolled back and not (spec 3.3).

use durable_macros::{entity_trigger, orchestration_trigger};
use durable_runtime::{ClientError, EntityId, Error, OrchestrationContext, Result, TaskError};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::json;

use crate::host::{Host, Residency};

#[derive(Default, Serialize, Deserialize)]
struct Ledger {
    lines: Vec<i64>,
    /// While it is set, the ledger cannot be serialised.
    #[serde(serialize_with = "unless_set", default)]
    torn: bool,
}

fn unless_set<S: Serializer>(torn: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    match torn {
        true => Err(serde::ser::Error::custom("the ledger is torn")),
        false => serializer.serialize_bool(false),
    }
}

#[entity_trigger]
impl Ledger {
    pub fn write(&mut self, line: i64) {
        self.lines.push(line);
    }

    pub fn write_then_fail(&mut self, line: i64) -> Result<()> {
        self.lines.push(line);
        Err(Error::msg("wrote, then failed"))
    }

    pub fn write_then_panic(&mut self, line: i64) {
        self.lines.push(line);
        panic!("wrote, then panicked");
    }

    pub async fn write_wait_then_panic(&mut self, line: i64) {
        self.lines.push(line);
        tokio::task::yield_now().await;
        self.lines.push(-line);
        panic!("wrote, waited, then panicked");
    }

    pub fn tear(&mut self) {
        self.torn = true;
    }

    pub fn mend(&mut self) {
        self.torn = false;
    }

    pub fn tell(&self, ctx: &mut durable_runtime::EntityContext) {
        ctx.entity::<Self>("told").signal().write(1);
    }

    pub fn lines(&self) -> Vec<i64> {
        self.lines.clone()
    }
}

#[orchestration_trigger]
async fn reads_a_ledger(ctx: OrchestrationContext, key: String) -> Result<Vec<i64>, TaskError> {
    ctx.entity::<Ledger>(key).lines().await
}

fn host(residency: Residency, rollback: bool) -> Host {
    Host::with(residency, |settings| {
        settings.rollback_entity_operations = rollback;
    })
}

impl Host {
    async fn lines(&self, key: &str) -> Vec<i64> {
        let ledger = self.client.read_entity_state::<Ledger>(key).await.unwrap();
        ledger.map_or(Vec::new(), |ledger| ledger.lines)
    }

    /// Signals these, and has the ledger read after them, all in one batch; gives what came of the reading.
    async fn batch(&self, operations: &[&str]) -> durable_runtime::OrchestrationStatus {
        self.client.pause_functions(true).await.unwrap();
        let id = EntityId::of::<Ledger>("one");
        for operation in operations {
            let signal = self.client.signal_entity(&id, operation, json!(7));
            signal.await.unwrap();
        }
        let reader = self
            .client
            .start_new::<reads_a_ledger>("one")
            .await
            .unwrap();
        while !self.kinds(&reader).await.contains(&"EntityOperationCalled") {
            tokio::task::yield_now().await;
        }
        // Who has loaded the entity with the first of them must not go on with these alone.
        self.hub.quiet().await;
        self.client.pause_functions(false).await.unwrap();
        self.end(&reader).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_failed_method_did_stays_if_it_is_not_rolled_back() {
    for residency in [Residency::Resident, Residency::Evicted] {
        for (rollback, left) in [(true, vec![1]), (false, vec![1, 2, 3, 4, -4])] {
            let host = host(residency, rollback);
            let ledger = host.client.entity::<Ledger>("one");
            ledger.write(1).await.unwrap();
            let failures = [
                ledger.write_then_fail(2).await,
                ledger.write_then_panic(3).await,
                ledger.write_wait_then_panic(4).await,
            ];
            let types = failures.map(|failure| match failure {
                Err(ClientError::Failed(failure)) => failure.message,
                other => format!("{other:?}"),
            });
            assert_eq!(
                types,
                [
                    "wrote, then failed",
                    "wrote, then panicked",
                    "wrote, waited, then panicked"
                ]
            );
            assert_eq!(host.lines("one").await, left, "{residency:?} {rollback}");
            host.hub.shutdown().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_leaves_an_object_which_cannot_be_stored_comes_to_nothing_without_rollback() {
    for residency in [Residency::Resident, Residency::Evicted] {
        let host = host(residency, false);
        host.client.entity::<Ledger>("one").write(1).await.unwrap();
        let end = host.batch(&["write", "tear", "tell", "write"]).await;
        let failure = end.failure.unwrap();
        assert!(
            failure.message.contains("the ledger is torn"),
            "{failure:?}"
        );
        assert_eq!(host.lines("one").await, [1]);
        // What a later operation mends is as good as never torn.
        let end = host
            .batch(&["tear", "lines", "write", "mend", "tell"])
            .await;
        assert_eq!(end.output, Some(json!([1, 7])), "{residency:?}");
        assert_eq!(host.lines("one").await, [1, 7]);
        // The signal of the batch before would have come first.
        while host.lines("told").await.is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(host.lines("told").await, [1]);
        host.hub.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_that_cannot_be_stored_fails_its_own_operation_with_rollback() {
    let host = host(Residency::Resident, true);
    let end = host.batch(&["write", "tear", "write"]).await;
    assert_eq!(end.output, Some(json!([7, 7])));
    let torn = host.client.entity::<Ledger>("one").tear().await;
    assert!(
        torn.unwrap_err()
            .to_string()
            .contains("cannot be serialised")
    );
    host.hub.shutdown().await;
}
