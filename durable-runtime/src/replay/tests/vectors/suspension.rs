//! Suspend and resume.

use durable_macros::orchestration_trigger;
use serde_json::json;

use super::work;
use crate::model::HistoryEvent;
use crate::replay::tests::given::{Given, asks, done, output, raised};
use crate::{OrchestrationContext, Result};

fn suspended() -> HistoryEvent {
    HistoryEvent::ExecutionSuspended { reason: None }
}

fn resumed() -> HistoryEvent {
    HistoryEvent::ExecutionResumed { reason: None }
}

#[orchestration_trigger(crate = crate)]
async fn works_on_events(ctx: OrchestrationContext) -> Result<Vec<u64>> {
    let mut all = Vec::new();
    for _ in 0..3 {
        let n: u64 = ctx.wait_for_external_event("go").await?;
        all.push(ctx.call_activity::<work>(n).await?);
    }
    Ok(all)
}

/// Vector 40: nothing happens while it is suspended, and everything that came is there in order afterwards.
#[test]
fn suspended_instance_asks_for_nothing_until_it_is_resumed() {
    let mut given = Given::of::<works_on_events>(());
    given.start();
    let turn = given.turn([suspended(), raised("go", 1), raised("go", 2)]);
    assert!(turn.suspended && turn.asked().len() == 0);
    assert!(given.turn([raised("go", 3)]).asked().len() == 0);
    assert_eq!(asks(&given.turn([resumed()])), ["0 work"]);
    assert_eq!(asks(&given.turn([done(0, 1)])), ["1 work"]);
    given.turn([done(1, 2)]);
    assert_eq!(output(&given.turn([done(2, 3)])), json!([1, 2, 3]));
}

/// What a turn asked for before it was suspended is no open task until history says so: nobody may run it.
#[test]
fn turn_that_is_suspended_keeps_what_it_asked_for_to_itself() {
    let mut given = Given::of::<works_on_events>(());
    given.start();
    let turn = given.turn([raised("go", 1), suspended()]);
    assert!(turn.asked().len() == 0);
    let loaded = given.loaded();
    assert!(loaded.open().is_empty(), "{:?}", loaded.open());
    assert_eq!(loaded.next_wake(), (None, false));
    let turn = given.turn([done(0, 1)]);
    assert_eq!(
        turn.events.len(),
        2,
        "an answer to what was never asked for: {turn:?}"
    );
    assert_eq!(asks(&given.turn([resumed()])), ["0 work"]);
    assert_eq!(given.loaded().next_wake(), (None, true));
}
