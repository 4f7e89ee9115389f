//! Entities and critical sections, by what the reference's suites show (vectors 63 to 72).

use std::collections::HashMap;
use std::time::Duration;

use chrono::Utc;
use durable_macros::orchestration_trigger;
use durable_runtime::__private::{EntitySpec, Kind, Payload, Registration, inventory};
use durable_runtime::{
    ClientError, EntityContext, EntityId, EntityInvocation, EntityQuery, Error,
    OrchestrationContext, Result, RuntimeStatus, TaskError,
};
use futures::FutureExt;
use futures::future::{BoxFuture, try_join_all};
use serde_json::{Value, json};

use crate::functions::*;
use crate::host::{Host, Residency};
use crate::scenarios::scenarios;

inventory::submit! {
    Registration {
        name: "Cell",
        module: module_path!(),
        file: file!(),
        line: line!(),
        kind: Kind::Entity(EntitySpec { operations: &[], states: &[], run: cell }),
    }
}

/// A JSON value with operations for every rule.
fn cell(invocation: EntityInvocation) -> BoxFuture<'static, Result<Payload>> {
    async move { Ok(Payload::of(&operate(&invocation).await?)?) }.boxed()
}

async fn operate(invocation: &EntityInvocation) -> Result<Value> {
    let ctx = invocation.context();
    let number =
        || -> Result<i64> { Ok(ctx.state::<Value>()?.and_then(|v| v.as_i64()).unwrap_or(0)) };
    match &*invocation.operation() {
        "add" => ctx.set_state(&(number()? + ctx.input::<i64>()?))?,
        "slow_add" => {
            let before = number()?;
            tokio::time::sleep(Duration::from_millis(2)).await;
            ctx.set_state(&(before + ctx.input::<i64>()?))?;
        }
        "get" => return Ok(ctx.state::<Value>()?.unwrap_or(Value::Null)),
        "repeat" => ctx.set_state(&"x".repeat(ctx.input::<usize>()? - 2))?,
        "say" => return Ok(json!("x".repeat(ctx.input::<usize>()? - 2))),
        "set" => ctx.set_state(&ctx.input::<Value>()?)?,
        "set_then_fail" => {
            ctx.set_state(&ctx.input::<Value>()?)?;
            return Err(Error::msg("set, then failed").with_type("Late"));
        }
        "set_then_panic" => {
            ctx.set_state(&ctx.input::<Value>()?)?;
            panic!("set, then panicked");
        }
        "delete_then_fail" => {
            ctx.delete_state();
            return Err(Error::msg("deleted, then failed"));
        }
        "panic" => panic!("entity panics"),
        "set_unserialisable" => ctx.set_state(&HashMap::from([((1, 2), 3)]))?,
        "read_as_number" => return Ok(json!(ctx.state::<i64>()?)),
        "delete" => ctx.delete_state(),
        "append" => {
            let mut lines: Vec<Value> = ctx.state()?.unwrap_or_default();
            lines.push(ctx.input()?);
            ctx.set_state(&lines)?;
        }
        "tell" => {
            let (to, line): (String, Value) = ctx.input()?;
            ctx.signal_entity(&EntityId::new("cell", to), "append", line);
        }
        "tell_then_fail" => {
            let (to, line): (String, Value) = ctx.input()?;
            ctx.signal_entity(&EntityId::new("cell", to), "append", line);
            return Err(Error::msg("told, then failed"));
        }
        "put" => {
            let mut sender = sender(&ctx)?;
            sender["value"] = ctx.input()?;
            ctx.set_state(&sender)?;
        }
        "put_then_fail" => {
            let mut sender = sender(&ctx)?;
            sender["value"] = ctx.input()?;
            ctx.set_state(&sender)?;
            return Err(Error::msg("put, then failed"));
        }
        "send" => send(&ctx)?,
        "send_then_fail" => {
            send(&ctx)?;
            return Err(Error::msg("sent, then failed"));
        }
        "send_then_make_unserialisable" => {
            send(&ctx)?;
            ctx.set_state(&HashMap::from([((1, 2), 3)]))?;
        }
        "count_to" => {
            let goal: i64 = ctx.input()?;
            let now = number()? + 1;
            ctx.set_state(&now)?;
            if now < goal {
                ctx.signal_entity(ctx.id(), "count_to", goal);
            }
        }
        "start" => {
            let id: String = ctx.input()?;
            ctx.start_orchestration::<hello_cities>(())
                .with_instance_id(id);
        }
        "misuse" => {
            ctx.signal_entity(&EntityId::new("nobody", "x"), "add", 1);
        }
        other => return Err(Error::msg(format!("no operation named `{other}`"))),
    }
    Ok(Value::Null)
}

/// The state of one that sends: how often it did, and a value.
fn sender(ctx: &EntityContext) -> Result<Value> {
    Ok(ctx.state()?.unwrap_or(json!({ "sent": 0, "value": 0 })))
}

/// Tells the receiver what the state is after it.
fn send(ctx: &EntityContext) -> Result<()> {
    let mut sender = sender(ctx)?;
    let sent = sender["sent"].as_u64().unwrap_or_default() + 1;
    sender["sent"] = sent.into();
    let line = format!("{sent}:{}", sender["value"]);
    ctx.set_state(&sender)?;
    let receiver: String = ctx.input()?;
    ctx.signal_entity(&EntityId::new("cell", receiver), "append", line);
    Ok(())
}

pub fn id(key: &str) -> EntityId {
    EntityId::new("Cell", key)
}

impl Host {
    async fn call(&self, key: &str, operation: &str, input: Value) -> Result<Value, ClientError> {
        let key = key.to_owned();
        let caller = json!({ "key": key, "operation": operation, "input": input });
        let instance = self.client.start_new_by_name("call_one", caller).await?;
        let end = self.end(&instance).await;
        match end.runtime_status {
            RuntimeStatus::Completed => Ok(end.output.unwrap_or(Value::Null)),
            _ => Err(ClientError::Failed(end.failure.unwrap())),
        }
    }

    async fn state(&self, key: &str) -> Option<Value> {
        self.client.read_entity_state_by_id(&id(key)).await.unwrap()
    }

    async fn signal(&self, key: &str, operation: &str, input: impl serde::Serialize) {
        self.client
            .signal_entity(&id(key), operation, input)
            .await
            .unwrap();
    }
}

#[orchestration_trigger]
async fn call_one(ctx: OrchestrationContext, call: Value) -> Result<Value> {
    let (key, operation) = (
        call["key"].as_str().unwrap(),
        call["operation"].as_str().unwrap(),
    );
    Ok(ctx.call_entity(&id(key), operation, &call["input"]).await?)
}

#[orchestration_trigger]
async fn signals_in_order(ctx: OrchestrationContext, n: i64) -> Result<Value> {
    for i in 0..n {
        ctx.signal_entity(&id("ordered"), "append", i);
    }
    Ok(ctx.call_entity(&id("ordered"), "get", ()).await?)
}

#[orchestration_trigger]
async fn sends_and_fails(ctx: OrchestrationContext) -> Result<Value> {
    let signal = |operation: &str, input: Value| ctx.signal_entity(&id("sender"), operation, input);
    let receiver = || json!("receiver");
    signal("put", json!(56));
    signal("send", receiver());
    signal("put", json!(100));
    signal("send", receiver());
    signal("send_then_fail", receiver());
    signal("send", receiver());
    signal("put", json!(10));
    signal("send_then_fail", receiver());
    signal("send", receiver());
    signal("put_then_fail", json!(66));
    signal("send", receiver());
    signal("send_then_make_unserialisable", receiver());
    signal("send", receiver());
    signal("put", json!(11));
    signal("send", receiver());
    Ok(ctx.call_entity(&id("sender"), "get", ()).await?)
}

#[orchestration_trigger]
pub async fn locked_increment(ctx: OrchestrationContext, key: String) -> Result<i64> {
    let _lock = ctx.lock_entities([id(&key)]).await?;
    let before: Option<i64> = ctx.call_entity(&id(&key), "get", ()).await?;
    let after = before.unwrap_or(0) + 1;
    ctx.call_entity::<()>(&id(&key), "set", after).await?;
    Ok(after)
}

#[orchestration_trigger]
async fn transfer(
    ctx: OrchestrationContext,
    (from, to, amount): (String, String, i64),
) -> Result<bool> {
    let lock = ctx.lock_entities([id(&from), id(&to)]).await?;
    let balance: i64 = ctx.call_entity(&id(&from), "get", ()).await?;
    if balance < amount {
        return Ok(false);
    }
    ctx.call_entity::<()>(&id(&from), "add", -amount).await?;
    ctx.call_entity::<()>(&id(&to), "add", amount).await?;
    lock.release();
    Ok(true)
}

#[orchestration_trigger]
async fn breaks_every_rule(ctx: OrchestrationContext) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    let mut note = |result: Result<Value, TaskError>| texts.push(result.unwrap_err().to_string());
    note(ctx.lock_entities([]).await.map(|_| Value::Null));
    let lock = ctx.lock_entities([id("b"), id("a"), id("b")]).await?;
    let locked = ctx.locked_entities();
    note(ctx.lock_entities([id("c")]).await.map(|_| Value::Null));
    note(ctx.call_sub_orchestrator_by_name("hello_cities", ()).await);
    note(ctx.call_entity(&id("c"), "get", ()).await);
    let first = ctx.call_entity::<Value>(&id("a"), "get", ());
    note(ctx.call_entity(&id("a"), "get", ()).await);
    first.await?;
    ctx.start_orchestration::<hello_cities>(())
        .with_instance_id("started inside");
    ctx.call_activity::<square>(2).await?;
    lock.release();
    texts.push(format!(
        "{} then {}",
        locked.len(),
        ctx.locked_entities().len()
    ));
    Ok(texts)
}

#[orchestration_trigger]
async fn takes_a_call_back(ctx: OrchestrationContext) -> Result<i64> {
    let _lock = ctx.lock_entities([id("back")]).await?;
    drop(ctx.call_entity::<()>(&id("back"), "add", 10));
    ctx.call_entity::<()>(&id("back"), "add", 1).await?;
    Ok(ctx.call_entity(&id("back"), "get", ()).await?)
}

#[orchestration_trigger]
async fn signals_a_locked_one(ctx: OrchestrationContext) -> Result<()> {
    let _lock = ctx.lock_entities([id("rule")]).await?;
    ctx.signal_entity(&id("rule"), "add", 1);
    Ok(())
}

#[orchestration_trigger]
async fn ends_badly_in_section(ctx: OrchestrationContext, how: String) -> Result<()> {
    let lock = ctx.lock_entities([id("s1"), id("s2")]).await?;
    match how.as_str() {
        "error" => Err(Error::msg("inside")),
        "panic" => panic!("inside"),
        "forget" => {
            std::mem::forget(lock);
            Ok(())
        }
        "continue" => ctx.continue_as_new("done"),
        "done" => Ok(()),
        _ => {
            ctx.set_custom_status("inside");
            ctx.wait_for_external_event::<()>("never").await?;
            Ok(())
        }
    }
}

#[orchestration_trigger]
async fn gives_up_waiting(ctx: OrchestrationContext) -> Result<String> {
    let locks = ctx.lock_entities([id("free"), id("taken")]);
    let timer = ctx.create_timer(Duration::from_millis(20));
    let text = match futures::future::select(locks, timer).await {
        futures::future::Either::Left(_) => "locked",
        futures::future::Either::Right(_) => "gave up",
    };
    Ok(text.to_owned())
}

#[orchestration_trigger]
async fn uses_nobody(ctx: OrchestrationContext, way: String) -> Result<()> {
    let nobody = EntityId::new("nobody", "x");
    match &*way {
        "call" => ctx.call_entity::<()>(&nobody, "add", 1).await?,
        "lock" => drop(ctx.lock_entities([id("somebody"), nobody]).await?),
        _ => {
            ctx.signal_entity(&nobody, "add", 1);
        }
    }
    Ok(())
}

scenarios! {
    /// Vector 63.
    entity_is_created_read_deleted_and_created_again(host) {
        assert_eq!(host.state("one").await, None);
        host.call("one", "add", json!(5)).await.unwrap();
        assert_eq!(host.state("one").await, Some(json!(5)));
        host.call("one", "delete", json!(null)).await.unwrap();
        assert_eq!(host.state("one").await, None);
        host.call("one", "add", json!(7)).await.unwrap();
        assert_eq!(host.call("one", "GET", json!(null)).await.unwrap(), json!(7));
    }

    /// While the host is drained or offline, operations wait, and those that came meanwhile with them.
    paused_entity_takes_nothing_up_and_everything_after(host) {
        host.call("kept", "add", json!(1)).await.unwrap();
        host.pause(true).await;
        for key in ["kept", "new"] {
            host.signal(key, "add", 1).await;
        }
        let soon = Utc::now() + Duration::from_millis(1);
        host.client.signal_entity(&id("kept"), "add", 10).at(soon).await.unwrap();
        // Orchestrators go on, in the same queue, behind the entities.
        let behind = host.client.start_new::<empty>(()).await.unwrap();
        host.end(&behind).await;
        assert_eq!((host.state("kept").await, host.state("new").await), (Some(json!(1)), None));
        assert_eq!(host.client.running_functions(), 0);
        host.pause(false).await;
        assert_eq!(host.call("new", "get", json!(null)).await.unwrap(), json!(1));
        while host.state("kept").await != Some(json!(12)) {
            tokio::task::yield_now().await;
        }
    }

    /// Vector 64, with the default of rolling back.
    failed_operation_leaves_no_trace(host) {
        let failure = host.call("faulty", "set_unserialisable", json!(null)).await.unwrap_err();
        assert!(failure.to_string().contains("cannot be serialised"), "{failure}");
        assert_eq!(host.state("faulty").await, None);
        host.call("faulty", "set", json!(3)).await.unwrap();
        let failure = host.call("faulty", "set_then_fail", json!(333)).await.unwrap_err();
        let ClientError::Failed(failure) = failure else { panic!("{failure}") };
        assert!(failure.is_caused_by("Late"), "{failure:?}");
        assert_eq!(host.state("faulty").await, Some(json!(3)));
        host.call("faulty", "delete_then_fail", json!(null)).await.unwrap_err();
        host.call("faulty", "panic", json!(null)).await.unwrap_err();
        host.call("faulty", "misuse", json!(null)).await.unwrap_err();
        assert_eq!(host.state("faulty").await, Some(json!(3)));
        host.call("faulty", "set", json!("text")).await.unwrap();
        let failure = host.call("faulty", "read_as_number", json!(null)).await.unwrap_err();
        assert!(failure.to_string().contains("failed to deserialise the state"), "{failure}");
        host.call("faulty", "delete", json!(null)).await.unwrap();
        assert_eq!(host.call("faulty", "read_as_number", json!(null)).await.unwrap(), json!(null));
    }

    /// Vector 65: the receiver is told how often something was sent, and the state.
    signals_of_failed_operations_are_discarded(host) {
        let id = host.client.start_new::<sends_and_fails>(()).await.unwrap();
        assert_eq!(host.end(&id).await.output, Some(json!({ "sent": 7, "value": 11 })));
        let heard = ["1:56", "2:100", "3:100", "4:10", "5:10", "6:10", "7:11"];
        while host.state("receiver").await.is_none_or(|heard| heard.as_array().unwrap().len() < 7) {
            tokio::task::yield_now().await;
        }
        // What was discarded does not come after it either: the receiver takes what is sent in order.
        host.call("sender", "send", json!("receiver")).await.unwrap();
        while host.state("receiver").await.is_none_or(|heard| heard.as_array().unwrap().len() < 8) {
            tokio::task::yield_now().await;
        }
        let told = host.state("receiver").await.unwrap();
        assert_eq!(told.as_array().unwrap()[..7], heard.map(Value::from));
    }

    messages_of_one_sender_arrive_once_and_in_order(host) {
        let id = host.client.start_new::<signals_in_order>(500).await.unwrap();
        assert_eq!(host.end(&id).await.output, Some(json!((0..500).collect::<Vec<_>>())));
    }

    /// Vector 66.
    locked_increments_are_not_lost(host) {
        let starts = (0..100).map(|_| host.client.start_new::<locked_increment>("hot"));
        for id in try_join_all(starts).await.unwrap() {
            assert_eq!(host.end(&id).await.runtime_status, RuntimeStatus::Completed);
        }
        assert_eq!(host.state("hot").await, Some(json!(100)));
    }

    /// Vector 66.
    transfers_from_opposite_sides_keep_the_sum(host; FirstCome: each reads what those before it left) {
        for key in ["x", "y", "z"] {
            host.call(key, "set", json!(100)).await.unwrap();
        }
        let pairs = [("x", "y"), ("y", "x"), ("y", "z"), ("z", "x")];
        let starts = (0..60usize).map(|i| {
            let (from, to) = pairs[i % 4];
            host.client.start_new::<transfer>((from.to_owned(), to.to_owned(), 1 + i as i64 % 3))
        });
        for id in try_join_all(starts).await.unwrap() {
            // Nobody runs out of money, whoever comes first.
            assert_eq!(host.end(&id).await.output, Some(json!(true)));
        }
        let mut sum = 0;
        for key in ["x", "y", "z"] {
            sum += host.state(key).await.unwrap().as_i64().unwrap();
        }
        assert_eq!(sum, 300);
    }

    /// Vector 67.
    each_rule_of_critical_sections_has_its_error(host) {
        let id = host.client.start_new::<breaks_every_rule>(()).await.unwrap();
        let end = host.end(&id).await;
        let texts: Vec<String> = end.output_as().unwrap_or_else(|e| panic!("{e}: {end:?}"));
        let expected = ["at least one", "must not lock more", "must not call sub-orchestrations", "is not locked", "not yet answered", "2 then 0"];
        for (text, part) in texts.iter().zip(expected) {
            assert!(text.contains(part), "{text}, expected {part}");
        }
        assert_eq!(texts.len(), expected.len());
        assert_eq!(host.end("started inside").await.runtime_status, RuntimeStatus::Completed);
        let id = host.client.start_new::<signals_a_locked_one>(()).await.unwrap();
        assert!(host.end(&id).await.failure.unwrap().message.contains("not signalled"));
        host.call("rule", "add", json!(1)).await.unwrap();
        assert_eq!(host.state("rule").await, Some(json!(1)));
    }

    a_call_that_was_taken_back_does_not_block_the_next_one_under_the_lock(host) {
        let id = host.client.start_new::<takes_a_call_back>(()).await.unwrap();
        assert_eq!(host.end(&id).await.output, Some(json!(1)));
    }

    /// Vector 68.
    section_ends_however_its_holder_ends(host) {
        for how in ["error", "panic", "forget", "continue", "done"] {
            let id = host.client.start_new::<ends_badly_in_section>(how).await.unwrap();
            host.end(&id).await;
            host.call("s1", "add", json!(1)).await.unwrap();
            host.call("s2", "add", json!(1)).await.unwrap();
        }
        let id = host.client.start_new::<ends_badly_in_section>("wait").await.unwrap();
        host.wait_for_custom_status(&id).await;
        let next = host.client.start_new::<ends_badly_in_section>("done").await.unwrap();
        host.client.terminate(&id, "enough").await.unwrap();
        assert_eq!(host.end(&id).await.runtime_status, RuntimeStatus::Terminated);
        assert_eq!(host.end(&next).await.runtime_status, RuntimeStatus::Completed);
        host.call("s1", "add", json!(1)).await.unwrap();
        assert_eq!(host.state("s1").await, Some(json!(6)));
    }

    request_for_locks_that_is_dropped_is_taken_back(host) {
        let holder = host.client.start_new::<holds>("taken").await.unwrap();
        host.wait_for_custom_status(&holder).await;
        let waits = host.client.start_new::<gives_up_waiting>(()).await.unwrap();
        assert_eq!(host.end(&waits).await.output, Some(json!("gave up")));
        host.call("free", "add", json!(1)).await.unwrap();
        host.client.raise_event(&holder, "go", ()).await.unwrap();
        host.end(&holder).await;
        host.call("taken", "add", json!(1)).await.unwrap();
    }

    /// Else another would enter beside the holder, and whoever waits would wait for ever.
    locked_entity_is_not_purged_until_its_users_are_done(host) {
        let holder = host.client.start_new::<holds>("in use").await.unwrap();
        host.wait_for_custom_status(&holder).await;
        let next = host.client.start_new::<holds>("in use").await.unwrap();
        let entity = id("in use").to_string();
        for purged in [
            host.client.purge_instance(&entity).await,
            host.client.purge_instance(&entity).recursive().await,
        ] {
            assert!(matches!(purged, Err(ClientError::InvalidState { .. })), "{purged:?}");
            let text = purged.unwrap_err().to_string();
            assert!(text.contains("purge it once those who use it are done"), "{text}");
        }
        for instance in [&holder, &next] {
            host.wait_for_custom_status(instance).await;
            host.client.raise_event(instance, "go", ()).await.unwrap();
            assert_eq!(host.end(instance).await.runtime_status, RuntimeStatus::Completed);
        }
        host.call("in use", "add", json!(1)).await.unwrap();
        assert_eq!(host.client.purge_instance(&entity).await.unwrap(), 1);
        assert_eq!(host.state("in use").await, None);
        host.call("in use", "add", json!(1)).await.unwrap();
        // It has nobody below it.
        assert_eq!(host.client.purge_instance(&entity).recursive().await.unwrap(), 1);
        assert_eq!(host.state("in use").await, None);
    }

    /// Vector 69.
    names_are_compared_without_case_and_unknown_ones_are_errors(host) {
        host.client.signal_entity(&EntityId::new("CELL", "case"), "add", 2).await.unwrap();
        host.call("case", "add", json!(2)).await.unwrap();
        assert_eq!(host.state("case").await, Some(json!(4)));
        let unknown = host.client.signal_entity(&EntityId::new("nobody", "x"), "add", 2).await;
        assert!(matches!(unknown, Err(ClientError::UnknownFunction { .. })), "{unknown:?}");
        let bad = host.client.signal_entity(&EntityId::new("cell", "a/b"), "add", 2).await;
        assert!(matches!(bad, Err(ClientError::InvalidArgument(_))), "{bad:?}");
        for way in ["call", "signal", "lock"] {
            let id = host.client.start_new::<uses_nobody>(way).await.unwrap();
            let failure = host.end(&id).await.failure.unwrap();
            assert!(failure.is_caused_by("UsageError"), "{way}: {failure:?}");
            assert!(failure.message.contains("not an entity function"), "{way}: {failure:?}");
        }
    }

    /// They are for orchestrations, and would stay in the inbox for ever.
    events_and_control_of_an_entity_are_refused_and_leave_nothing(host) {
        host.call("plain", "add", json!(1)).await.unwrap();
        host.call("plain", "delete", json!(null)).await.unwrap();
        let entity = id("plain").to_string();
        let client = &host.client;
        for refused in [
            client.raise_event(&entity, "go", ()).await,
            client.terminate(&entity, "enough").await,
            client.terminate(&entity, "enough").recursive().await,
            client.suspend(&entity, "wait").await,
            client.resume(&entity, "go on").await,
        ] {
            let Err(ClientError::InvalidArgument(text)) = refused else { panic!("{refused:?}") };
            assert!(text.contains(&entity) && text.contains("signal"), "{text}");
        }
        // What has a message in its inbox is not empty, and stays.
        assert_eq!(client.clean_entity_storage().await.unwrap().empty_removed, 1);
    }

    /// Vector 70.
    entity_signals_itself_and_starts_orchestrations(host) {
        host.signal("self", "count_to", 20).await;
        host.signal("self", "start", "by-an-entity").await;
        while host.client.get_status("by-an-entity").await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
        assert_eq!(host.end("by-an-entity").await.runtime_status, RuntimeStatus::Completed);
        while host.state("self").await != Some(json!(20)) {
            tokio::task::yield_now().await;
        }
    }

    /// Vector 70.
    scheduled_signal_waits_for_its_time_also_over_a_restart(host) {
        let due = Utc::now() + Duration::from_millis(300);
        host.client.signal_entity(&id("late"), "add", 1).at(due).await.unwrap();
        host.call("late", "add", json!(10)).await.unwrap();
        let state = host.state("late").await;
        assert!(state == Some(json!(10)) || Utc::now() >= due, "{state:?}");
        let host = host.interrupt().await;
        while host.state("late").await != Some(json!(11)) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(Utc::now() >= due);
    }

    /// Vector 72.
    storage_is_cleaned_of_empty_entities_and_orphaned_locks(host) {
        for key in ["kept", "gone"] {
            host.call(key, "add", json!(1)).await.unwrap();
        }
        host.call("gone", "delete", json!(null)).await.unwrap();
        let listed = host.client.list_entities(EntityQuery::new().with_name("CELL")).await.unwrap();
        let keys: Vec<&str> = listed.items.iter().map(|e| e.id.key()).collect();
        assert_eq!((keys, listed.continuation_token), (vec!["kept"], None));
        let cleaned = host.client.clean_entity_storage().await.unwrap();
        assert_eq!((cleaned.empty_removed, cleaned.locks_released), (1, 0));
        assert_eq!(host.client.clean_entity_storage().await.unwrap().empty_removed, 0);
        let later = EntityQuery::new().last_operation_from(Utc::now() + Duration::from_secs(60));
        assert!(host.client.list_entities(later).await.unwrap().items.is_empty());
        let first = host.client.list_entities(EntityQuery::new().with_page_size(1)).await.unwrap();
        assert_eq!(first.items[0].state, Some(json!(1)));
    }

    operations_that_wait_do_not_interleave(host) {
        let signals = (0..50).map(|_| host.client.signal_entity(&id("slow"), "slow_add", 1));
        try_join_all(signals).await.unwrap();
        host.call("slow", "add", json!(0)).await.unwrap();
        assert_eq!(host.state("slow").await, Some(json!(50)));
    }
}

#[orchestration_trigger]
pub async fn holds(ctx: OrchestrationContext, key: String) -> Result<()> {
    let _lock = ctx.lock_entities([id(&key)]).await?;
    ctx.set_custom_status("held");
    ctx.wait_for_external_event::<()>("go").await?;
    Ok(())
}

impl Host {
    pub async fn wait_for_custom_status(&self, id: &str) {
        loop {
            let status = self.client.get_status(id).await.unwrap().unwrap();
            if status.custom_status.is_some() {
                return;
            }
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_starts_paused_takes_up_what_was_left_when_it_is_told_to() {
    for residency in [Residency::Resident, Residency::Evicted] {
        let host = Host::with(residency, |settings| settings.paused = true);
        host.signal("left", "add", 1).await;
        let host = host
            .restart_with(residency, |settings| settings.paused = true)
            .await;
        let behind = host.client.start_new::<empty>(()).await.unwrap();
        host.end(&behind).await;
        assert_eq!(host.state("left").await, None, "{residency:?}");
        host.client.pause_functions(false).await.unwrap();
        while host.state("left").await != Some(json!(1)) {
            tokio::task::yield_now().await;
        }
        host.hub.shutdown().await;
    }
}

/// Vector 72. What removes a holder lets go of its locks; here the row of one was lost otherwise.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn locks_of_holders_that_are_gone_are_released() {
    let host = Host::new(Residency::Resident);
    let lost = host.client.start_new::<holds>("orphan").await.unwrap();
    let alive = host.client.start_new::<holds>("owned").await.unwrap();
    for holder in [&lost, &alive] {
        host.wait_for_custom_status(holder).await;
    }
    let next = host.client.start_new::<locked_increment>("orphan");
    let next = next.await.unwrap();
    let host = host.restart_without(&lost).await;
    let cleaned = host.client.clean_entity_storage().await.unwrap();
    assert_eq!((cleaned.empty_removed, cleaned.locks_released), (0, 1));
    assert_eq!(host.end(&next).await.output, Some(json!(1)));
    host.client.raise_event(&alive, "go", ()).await.unwrap();
    host.end(&alive).await;
}

/// Vectors 64 and 65, without rolling back: what a failed operation did before it failed stays, and what it sent goes out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failed_operation_leaves_what_it_did_if_it_is_not_rolled_back() {
    for residency in [Residency::Resident, Residency::Evicted] {
        let host = Host::with(residency, |settings| {
            settings.rollback_entity_operations = false;
        });
        for (operation, input, left) in [
            ("set", json!(3), Some(json!(3))),
            ("set_then_fail", json!(333), Some(json!(333))),
            ("set_then_panic", json!(99), Some(json!(99))),
            ("set_unserialisable", json!(null), Some(json!(99))),
            ("delete_then_fail", json!(null), None),
        ] {
            let fails = host.call("faulty", operation, input).await.is_err();
            assert_eq!(fails, operation != "set", "{operation}");
            assert_eq!(host.state("faulty").await, left, "{operation}");
        }
        for (operation, line) in [("tell", 1), ("tell_then_fail", 2), ("tell", 3)] {
            let _ = host.call("teller", operation, json!(["heard", line])).await;
        }
        let heard = host.call("heard", "get", json!(null)).await;
        assert_eq!(heard.unwrap(), json!([1, 2, 3]), "{residency:?}");
        host.hub.shutdown().await;
    }
}
