//! Entities in every form that they may be written in, and every way to reach them.
use std::time::Duration;

use durable_functions::chrono::Utc;
use durable_functions::prelude::*;
use serde::{Deserialize, Serialize};

pub struct Bank {
    name: &'static str,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Order {
    id: String,
    amount: i64,
    note: Option<String>,
}

#[orchestration_trigger]
async fn monitor(_ctx: OrchestrationContext, order: Order) -> Result<i64> {
    Ok(order.amount)
}

#[derive(Default, Serialize, Deserialize)]
pub struct Counter {
    value: i64,
}

#[entity_trigger]
impl Counter {
    pub fn add(&mut self, n: i64) -> i64 {
        self.value += n;
        self.value
    }
    pub fn get(&self) -> i64 {
        self.value
    }
    pub async fn transfer(
        &mut self,
        order: Order,
        ctx: &mut EntityContext,
        bank: State<Bank>,
    ) -> Result<()> {
        if order.note.is_none() {
            return Err(Error::msg(format!("{} refuses at {}", ctx.id(), bank.name)));
        }
        let target = EntityId::new("journal", &order.id);
        ctx.signal_entity(&target, "append", "transferred");
        ctx.signal_entity(&target, "append", format!("{}", order.amount))
            .at(Utc::now() + Duration::from_secs(60));
        ctx.entity::<Journal>(&order.id).signal().append("typed");
        ctx.entity::<Journal>("log").signal().append("later").at(Utc::now());
        let started = ctx
            .start_orchestration::<monitor>(order)
            .with_instance_id("monitor")
            .scheduled_at(Utc::now());
        self.helper(started.id());
        Ok(())
    }
    pub fn reset(&mut self, bank: State<Bank>) {
        self.value = bank.name.len() as i64;
    }
    fn helper(&self, _text: &str) {}
}

#[derive(Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Journal {
    lines: Vec<String>,
}

#[entity_trigger(name = "journal")]
impl Journal {
    pub fn new() -> Self {
        Self::default()
    }
    pub fn append(&mut self, line: String) {
        self.lines.push(line);
    }
    pub async fn last(&self) -> Option<String> {
        self.lines.last().cloned()
    }
    pub async fn below(
        self: &mut Self,
        #[durable_client(task_hub = "Other")] client: DurableClient,
        ctx: &EntityContext,
    ) -> std::result::Result<(), ClientError> {
        client.signal_entity(ctx.id(), "append", "again").await
    }
    pub fn delete(&mut self) -> usize {
        std::mem::take(&mut self.lines).len()
    }
}

#[entity_trigger]
pub async fn relay(ctx: &mut EntityContext, bank: State<Bank>) -> Result<Value> {
    let state: i64 = ctx.state()?.unwrap_or_default();
    match ctx.operation() {
        "add" => ctx.set_state(&(state + ctx.input::<i64>()?))?,
        "forward" => {
            let key = ctx.id().key().to_string();
            ctx.signal_entity(&EntityId::new("Counter", &key), "add", state);
            ctx.entity::<Counter>(&key).signal().add(state);
        }
        "delete" => ctx.delete_state(),
        other => return Err(Error::msg(format!("no {other} at {}", bank.name))),
    }
    Ok(Value::Null)
}

#[entity_trigger(name = "Sink")]
async fn sink(_ctx: &mut EntityContext) {}

#[orchestration_trigger]
async fn all(ctx: OrchestrationContext, order: Order) -> Result<Option<String>> {
    let counter = ctx.entity::<Counter>("key");
    let sum: i64 = counter.add(5).await? + counter.get().await?;
    counter.transfer(order.clone()).await?;
    counter.reset().await?;
    counter.delete().await?;
    counter.signal().add(sum);
    counter.signal().transfer(order).at(ctx.current_utc_datetime());
    counter.signal().delete();
    let journal = ctx.entity::<Journal>(String::from("log"));
    journal.append("a").await?;
    journal.append(&String::from("b")).await?;
    let lines: usize = journal.delete().await?;
    let lock = ctx
        .lock_entities([EntityId::of::<Counter>("key"), EntityId::of::<relay>("r")])
        .await?;
    let _: Value = ctx.call_entity(&EntityId::of::<relay>("r"), "add", lines).await?;
    lock.release();
    Ok(journal.last().await?)
}

#[http_trigger]
async fn by_client(#[durable_client] client: DurableClient) -> Result<()> {
    let counter = client.entity::<Counter>("key");
    counter.signal().add(5).await?;
    counter.signal().add(5).at(Utc::now()).await?;
    let _: i64 = counter.add(5).with_timeout(Duration::from_secs(1)).await?;
    counter.delete().await?;
    let _: Option<Counter> = client.read_entity_state::<Counter>("key").await?;
    client.signal_entity(&EntityId::of::<sink>(""), "any", ()).await?;
    Ok(())
}

fn main() {
    let mut counter = Counter::default();
    assert_eq!(counter.add(2), counter.get());
}
