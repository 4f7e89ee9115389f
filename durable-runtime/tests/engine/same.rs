//! What is left of a scenario, so that its runs in the three modes can be held against each other: the outcome and the history of every
//! orchestration, the state of every entity, but for time stamps and ids that are new in each run.

use std::collections::BTreeMap;

use durable_runtime::model::HistoryEvent;
use durable_runtime::{DurableClient, EntityQuery, InstanceQuery, OrchestrationStatus};
use serde_json::{Value, json};

/// How far a scenario settles the order in which messages reach its instances.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Order {
    /// Wholly, since nothing comes before what caused it: histories are equal turn by turn.
    Settled,
    /// For each sender alone: a client's messages come in its order, but when they come between the answers of activities, timers,
    /// children and entities, and how many come in one turn, is anybody's. What is asked for, what comes in and how it ends are equal.
    PerSender,
    /// What an entity is told first decides what it says to whom: histories are equal but for values, and so are outcomes.
    FirstCome,
}

/// What was there when a scenario was over; in no order.
#[derive(Debug)]
pub struct Left(Vec<String>);

impl Left {
    pub async fn by(client: &DurableClient, order: Order) -> Self {
        let all = instances(client).await;
        let names = names(&all);
        let mut left = Vec::new();
        for status in &all {
            let turns = client.events(&status.instance_id).await.unwrap();
            let found = instance(status, &turns.unwrap(), order);
            left.push(renamed(&found.to_string(), &names));
        }
        let entities = client.list_entities(EntityQuery::new()).await.unwrap();
        for entity in entities.items {
            let state = entity.state.filter(|_| order != Order::FirstCome);
            let found = json!({ "entity": entity.id.to_string(), "state": state });
            left.push(renamed(&found.to_string(), &names));
        }
        left.sort();
        Self(left)
    }

    /// # Panics
    /// If it is not what another mode left.
    pub fn assert_same_as(&self, other: &Self) {
        let missing = |of: &Self, from: &Self| -> String {
            let mut rest = from.0.clone();
            let lost = of.0.iter().filter(|found| {
                let at = rest.iter().position(|other| other == *found);
                at.map(|at| rest.swap_remove(at)).is_none()
            });
            lost.map(|found| format!("\n  {found}")).collect()
        };
        let (here, there) = (missing(self, other), missing(other, self));
        assert!(
            here.is_empty() && there.is_empty(),
            "here alone:{here}\nin memory alone:{there}"
        );
    }
}

async fn instances(client: &DurableClient) -> Vec<OrchestrationStatus> {
    let mut query = InstanceQuery::new();
    let mut all = Vec::new();
    loop {
        let page = client.list_instances(query.clone()).await.unwrap();
        all.extend(page.items);
        let Some(token) = page.continuation_token else {
            return all;
        };
        query = query.with_continuation(token);
    }
}

fn instance(status: &OrchestrationStatus, turns: &[Vec<HistoryEvent>], order: Order) -> Value {
    let begun = json!([
        status.name,
        status.instance_id,
        status.version,
        status.parent_instance_id
    ]);
    if !status.is_terminal() {
        // Its next turn may be under way.
        return json!({ "begun": begun });
    }
    assert_legal(status, turns);
    let history = history(turns, order);
    if order == Order::FirstCome {
        return json!({ "begun": begun, "status": status.runtime_status, "history": history });
    }
    json!({
        "begun": begun,
        "status": status.runtime_status,
        "input": status.input,
        "output": status.output,
        "custom status": status.custom_status,
        "failure": status.failure,
        "history": history,
    })
}

/// Every answer follows what asked for it, once, nothing follows the end, and no turn is empty.
fn assert_legal(status: &OrchestrationStatus, turns: &[Vec<HistoryEvent>]) {
    let mut asked = BTreeMap::new();
    let mut ended = false;
    let is_empty = |turn: &Vec<HistoryEvent>| turn.len() <= 2;
    assert!(!turns.iter().any(is_empty), "{status:?}: {turns:?}");
    for event in turns.iter().flatten() {
        assert!(
            !ended || matches!(event, HistoryEvent::OrchestratorCompleted),
            "{event:?} after the end of {status:?}: {turns:?}"
        );
        if let Some(id) = event.answers() {
            let answers = asked.get_mut(&id);
            let first = answers.is_some_and(|count: &mut u32| std::mem::replace(count, 1) == 0);
            assert!(first, "{event:?} answers nothing: {status:?}: {turns:?}");
        } else if let Some(id) = task_id(event) {
            asked.insert(id, 0);
        }
        ended |= matches!(event, HistoryEvent::ExecutionCompleted { .. });
    }
    assert!(ended, "no end of {status:?}: {turns:?}");
}

/// The id of what an event asks for.
fn task_id(event: &HistoryEvent) -> Option<i64> {
    let event = json!(event);
    event.get(event.as_object()?.keys().next()?)?["id"].as_i64()
}

fn history(turns: &[Vec<HistoryEvent>], order: Order) -> Value {
    let event = |event: &HistoryEvent| {
        let mut event = serde_json::to_value(event).unwrap();
        without_times(&mut event);
        event
    };
    if order == Order::Settled {
        let turn = |turn: &Vec<HistoryEvent>| turn.iter().map(event).collect::<Vec<_>>();
        return turns.iter().map(turn).collect();
    }
    let all = turns.iter().flatten();
    let all = all.filter(|event| !event.kind().starts_with("Orchestrator"));
    if order == Order::FirstCome {
        let mut kinds: Vec<&str> = all.map(HistoryEvent::kind).collect();
        kinds.sort_unstable();
        return json!(kinds);
    }
    let (told, rest): (Vec<_>, Vec<_>) = all.partition(|event| is_a_clients(event));
    let told: Vec<Value> = told.into_iter().map(event).collect();
    let mut rest: Vec<String> = rest.into_iter().map(|e| event(e).to_string()).collect();
    rest.sort_unstable();
    json!({ "told": told, "rest": rest })
}

fn is_a_clients(event: &HistoryEvent) -> bool {
    matches!(
        event,
        HistoryEvent::EventRaised { .. }
            | HistoryEvent::ExecutionSuspended { .. }
            | HistoryEvent::ExecutionResumed { .. }
            | HistoryEvent::ExecutionTerminated { .. }
            | HistoryEvent::ExecutionRewound { .. }
    )
}

fn without_times(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match &**name {
                    "at" | "fire_at" | "due" | "scheduled_start" => *member = "time".into(),
                    _ => without_times(member),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(without_times),
        _ => {}
    }
}

/// What generated ids are of.
fn names(all: &[OrchestrationStatus]) -> BTreeMap<&str, String> {
    let mut names = BTreeMap::new();
    for status in all {
        names.insert(
            &*status.execution_id,
            format!("(execution of {})", status.name),
        );
        names.insert(&*status.instance_id, format!("({})", status.name));
    }
    names
}

/// With every id that was generated (a UUID with hyphens or without) replaced by what it is of, as far as that is known.
fn renamed(text: &str, names: &BTreeMap<&str, String>) -> String {
    let is_part = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let mut renamed = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let bytes = rest.as_bytes();
        let run = |span: std::ops::Range<usize>| {
            bytes
                .get(span)
                .is_some_and(|run| run.iter().copied().all(is_part))
        };
        let hyphen = |at: usize| bytes.get(at) == Some(&b'-');
        let length = if run(0..32) {
            32
        } else if run(0..8)
            && hyphen(8)
            && run(9..13)
            && hyphen(13)
            && run(14..18)
            && hyphen(18)
            && run(19..23)
            && hyphen(23)
            && run(24..36)
        {
            36
        } else {
            renamed.push(next);
            rest = &rest[next.len_utf8()..];
            continue;
        };
        let (id, after) = rest.split_at(length);
        renamed.push_str(names.get(id).map_or("(an id)", String::as_str));
        rest = after;
    }
    renamed
}
