//! Entities as users write them, on a host without HTTP: operations, proxies, states, clients.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::time::Duration;

use durable_functions::RunningHost;
use durable_functions::prelude::*;
use serde::{Deserialize, Serialize};

struct Bank {
    name: &'static str,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Counter {
    value: i64,
}

#[derive(Serialize, Deserialize)]
struct Order {
    to: String,
    amount: Option<i64>,
}

#[entity_trigger]
impl Counter {
    const STEP: i64 = 1;

    pub fn add(&mut self, n: i64) -> i64 {
        self.value += n;
        self.value
    }

    pub fn get(&self) -> i64 {
        self.value
    }

    pub async fn transfer(
        &mut self,
        bank: State<Bank>,
        order: Order,
        ctx: &mut EntityContext,
    ) -> Result<()> {
        let Some(amount) = order.amount else {
            self.value = 0;
            return Err(Error::msg(format!("{} refuses at {}", ctx.id(), bank.name)));
        };
        self.value -= amount;
        ctx.entity::<Self>(&order.to).signal().add(amount);
        ctx.entity::<Journal>("log").signal().append("transferred");
        Ok(())
    }

    pub fn merge(&mut self, other: Self) -> Option<Self> {
        self.value += other.value + Self::STEP;
        Some(Self { value: self.value })
    }

    pub fn r#type(&self, (a, mut b): (i64, i64)) -> [i64; Self::STEP as usize] {
        b += a;
        [b]
    }

    pub async fn wait(&mut self, n: i64) {
        tokio::task::yield_now().await;
        self.value = n;
    }

    #[cfg(any())]
    pub fn absent(&mut self, gone: Gone, bank: State<Gone>) {}

    pub(crate) fn hidden(&self) -> i64 {
        self.value
    }

    pub fn of(value: i64) -> Self {
        Self { value }
    }
}

#[derive(Default, Serialize, Deserialize)]
#[serde(transparent)]
struct Journal {
    lines: Vec<String>,
}

#[entity_trigger(name = "journal")]
impl Journal {
    pub fn append(&mut self, line: String) {
        self.lines.push(line);
    }

    pub async fn last(&self) -> Option<String> {
        self.lines.last().cloned()
    }

    pub async fn instances(&self, #[durable_client] client: DurableClient) -> Result<usize> {
        let page = client.list_instances(InstanceQuery::new()).await?;
        Ok(page.items.len())
    }

    pub fn delete(&mut self) -> usize {
        std::mem::take(&mut self.lines).len()
    }
}

#[entity_trigger]
async fn relay(ctx: &mut EntityContext, bank: State<Bank>) -> Result<Value> {
    let mut sum: i64 = ctx.state()?.unwrap_or_default();
    match ctx.operation() {
        "add" => sum += ctx.input::<i64>()?,
        "get" => return Ok(json!({ "sum": sum, "bank": bank.name })),
        other => return Err(Error::msg(format!("no operation {other}"))),
    }
    ctx.set_state(&sum)?;
    Ok(Value::Null)
}

#[entity_trigger(name = "Sink")]
fn sink(_ctx: &mut EntityContext) {}

#[orchestration_trigger]
async fn counts(ctx: OrchestrationContext) -> Result<Vec<i64>> {
    let counter = ctx.entity::<Counter>("counted");
    counter.signal().add(1);
    let (a, b) = (counter.add(10), counter.add(100));
    let _section = ctx
        .lock_entities([EntityId::of::<Counter>("counted")])
        .await?;
    Ok(vec![a.await?, b.await?, counter.get().await?])
}

async fn host(folder: &tempfile::TempDir) -> RunningHost {
    let host = Host::new()
        .with_state(Bank { name: "Bank" })
        .with_script_root(folder.path())
        .without_http();
    host.start().await.unwrap()
}

#[tokio::test]
async fn each_operation_is_a_method_of_the_proxy() {
    let folder = tempfile::tempdir().unwrap();
    let host = host(&folder).await;
    let client = host.client();
    let counter = client.entity::<Counter>("a");
    assert_eq!(counter.get().await.unwrap(), 0);
    assert!(
        client
            .read_entity_state::<Counter>("a")
            .await
            .unwrap()
            .is_none(),
        "`&self` creates nothing"
    );
    assert_eq!(counter.add(5).await.unwrap(), 5);
    let merged = counter.merge(Counter::of(2)).await.unwrap().unwrap();
    assert_eq!(merged.hidden(), 8);
    assert_eq!(counter.r#type((1, 2)).await.unwrap(), [3]);
    counter.wait(20).await.unwrap();
    assert_eq!(
        client
            .read_entity_state::<Counter>("a")
            .await
            .unwrap()
            .unwrap()
            .value,
        20
    );
    let to = "b".to_owned();
    let order = Order {
        to,
        amount: Some(15),
    };
    counter.transfer(order).await.unwrap();
    assert_eq!(counter.get().await.unwrap(), 5);
    assert_eq!(client.entity::<Counter>("b").get().await.unwrap(), 15);
    let journal = client.entity::<Journal>("log");
    journal.signal().append("by hand").await.unwrap();
    assert_eq!(journal.last().await.unwrap().unwrap(), "by hand");
    assert_eq!(journal.delete().await.unwrap(), 2, "its own");
    assert_eq!(journal.instances().await.unwrap(), 0);
    counter.delete().await.unwrap();
    assert!(
        client
            .read_entity_state::<Counter>("a")
            .await
            .unwrap()
            .is_none()
    );
    host.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_failing_operation_keeps_nothing_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let host = host(&folder).await;
    let client = host.client();
    let counter = client.entity::<Counter>("a");
    counter.add(5).await.unwrap();
    let to = "b".to_owned();
    let failed = counter.transfer(Order { to, amount: None }).await;
    let Err(ClientError::Failed(failure)) = failed else {
        panic!("{failed:?}")
    };
    assert_eq!(failure.message, "@counter@a refuses at Bank");
    assert_eq!(counter.get().await.unwrap(), 5);
    let id = EntityId::of::<Counter>("a");
    client.signal_entity(&id, "ADD", 1).await.unwrap();
    client.signal_entity(&id, "hidden", ()).await.unwrap();
    assert_eq!(counter.get().await.unwrap(), 6, "case does not matter");
    host.shutdown().await.unwrap();
}

#[orchestration_trigger]
async fn asks(ctx: OrchestrationContext, operation: String) -> Result<Value> {
    let id = EntityId::of::<Counter>("asked");
    Ok(ctx.call_entity(&id, &operation, "no number").await?)
}

#[tokio::test]
async fn unknown_operations_and_unreadable_inputs_name_what_fits() {
    let folder = tempfile::tempdir().unwrap();
    let host = host(&folder).await;
    let client = host.client();
    for (operation, expected) in [
        (
            "hidden",
            "no operation named `hidden` was found; the entity `counter` has `add`, `get`, `transfer`, `merge`, `type`, `wait`, `delete`",
        ),
        ("Add", "the operation `Add` takes an input of type `i64`"),
    ] {
        let id = client.start_new::<asks>(operation).await.unwrap();
        let status = client
            .wait_for_completion(&id, Duration::from_secs(30))
            .await
            .unwrap();
        let message = status.failure.unwrap().message;
        assert!(message.contains(expected), "{message}");
    }
    host.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_function_is_an_entity_too() {
    let folder = tempfile::tempdir().unwrap();
    let host = host(&folder).await;
    let client = host.client();
    let id = EntityId::of::<relay>("r");
    client.signal_entity(&id, "add", 3).await.unwrap();
    client.signal_entity(&id, "add", 4).await.unwrap();
    client
        .signal_entity(&EntityId::new("sink", "s"), "any", ())
        .await
        .unwrap();
    let sum = client.start_new::<reads>(()).await.unwrap();
    let status = client
        .wait_for_completion(&sum, Duration::from_secs(30))
        .await
        .unwrap();
    assert_eq!(
        status.output_as::<Value>().unwrap(),
        json!({ "sum": 7, "bank": "Bank" })
    );
    host.shutdown().await.unwrap();
}

#[orchestration_trigger]
async fn reads(ctx: OrchestrationContext) -> Result<Value> {
    Ok(ctx
        .call_entity(&EntityId::of::<relay>("r"), "get", ())
        .await?)
}

#[tokio::test]
async fn orchestrators_call_signal_and_lock_by_type() {
    let folder = tempfile::tempdir().unwrap();
    let host = host(&folder).await;
    let client = host.client();
    let id = client.start_new::<counts>(()).await.unwrap();
    let status = client
        .wait_for_completion(&id, Duration::from_secs(30))
        .await
        .unwrap();
    assert_eq!(status.output_as::<Vec<i64>>().unwrap(), [11, 111, 111]);
    host.shutdown().await.unwrap();
}

#[tokio::test]
async fn operations_stay_ordinary_methods() {
    let mut counter = Counter::default();
    assert_eq!(counter.add(2), 2);
    assert_eq!(counter.get(), 2);
    let mut journal = Journal::default();
    journal.append("line".to_owned());
    assert_eq!(journal.last().await.unwrap(), "line");
}
