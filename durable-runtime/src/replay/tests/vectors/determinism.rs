//! The same in every replay, and what happens if it is not.

use std::sync::Mutex;
use std::time::Duration;

use durable_macros::orchestration_trigger;
use serde_json::json;

use super::{other, work};
use crate::replay::tests::given::{Given, asks, done, failure, fired, output};
use crate::{OrchestrationContext, Result};

#[orchestration_trigger(crate = crate)]
async fn makes_guids(ctx: OrchestrationContext) -> Result<Vec<String>> {
    let mut guids = vec![ctx.new_guid(), ctx.new_guid()];
    ctx.create_timer(Duration::from_secs(1)).await;
    guids.push(ctx.new_guid());
    Ok(guids.iter().map(ToString::to_string).collect())
}

/// Vector 46: `Given` holds each turn against a replay; the reference's values are in `replay::guid`.
#[test]
fn guids_are_the_same_in_every_replay_and_unique() {
    let mut given = Given::of::<makes_guids>(());
    given.start();
    let guids: Vec<String> = serde_json::from_value(output(&given.turn([fired(0)]))).unwrap();
    let unique: std::collections::BTreeSet<_> = guids.iter().collect();
    assert_eq!((unique.len(), guids.len()), (3, 3));
}

static LINES: Mutex<Vec<(u32, bool)>> = Mutex::new(Vec::new());

#[orchestration_trigger(crate = crate)]
async fn tells_its_lines(ctx: OrchestrationContext) -> Result<()> {
    let say = |line| LINES.lock().unwrap().push((line, ctx.is_replaying()));
    say(1);
    ctx.call_activity::<work>(1).await?;
    say(2);
    ctx.call_activity::<work>(2).await?;
    say(3);
    Ok(())
}

/// Vector 47: each line is new once, resident or loaded, and old in every replay.
#[test]
fn line_is_replayed_exactly_where_history_has_it() {
    let mut given = Given::of::<tells_its_lines>(());
    let mut said = |turn: &mut dyn FnMut(&mut Given)| {
        LINES.lock().unwrap().clear();
        turn(&mut given);
        LINES.lock().unwrap().clone()
    };
    // Each turn is made by the resident instance first, then by the loaded one, which replayed before.
    let first = said(&mut |given| drop(given.start()));
    assert_eq!(first, [(1, false), (1, false)]);
    let second = said(&mut |given| drop(given.turn([done(0, 1)])));
    assert_eq!(second, [(1, true), (2, false), (2, false)]);
    let third = said(&mut |given| drop(given.turn([done(1, 1)])));
    assert_eq!(third, [(1, true), (2, true), (3, false), (3, false)]);
}

#[orchestration_trigger(crate = crate)]
async fn as_recorded(ctx: OrchestrationContext) -> Result<u64> {
    ctx.call_activity::<work>(1).await?;
    Ok(ctx.call_activity::<work>(2).await?)
}

#[orchestration_trigger(crate = crate)]
async fn renamed(ctx: OrchestrationContext) -> Result<u64> {
    ctx.call_activity::<other>(1).await?;
    ctx.send_event("elsewhere", "never", 1);
    Ok(ctx.call_activity::<other>(2).await?)
}

#[orchestration_trigger(crate = crate)]
async fn a_timer_instead(ctx: OrchestrationContext) -> Result<u64> {
    ctx.create_timer(Duration::from_secs(1)).await;
    Ok(1)
}

#[orchestration_trigger(crate = crate)]
async fn removed(_ctx: OrchestrationContext) -> Result<u64> {
    Ok(1)
}

#[orchestration_trigger(crate = crate)]
async fn one_more(ctx: OrchestrationContext) -> Result<u64> {
    let more = ctx.call_activity::<work>(0);
    ctx.call_activity::<work>(1).await?;
    Ok(more.await?)
}

#[orchestration_trigger(crate = crate)]
async fn a_child_instead(ctx: OrchestrationContext) -> Result<u64> {
    Ok(ctx.call_sub_orchestrator::<removed>(()).await?)
}

#[orchestration_trigger(crate = crate)]
async fn waits_instead(ctx: OrchestrationContext) -> Result<u64> {
    Ok(ctx.wait_for_external_event("never").await?)
}

/// Vector 48.
#[test]
fn code_that_fits_history_no_longer_fails_naming_both_sides() {
    let mut given = Given::of::<as_recorded>(());
    assert_eq!(asks(&given.start()), ["0 work"]);
    given.turn([done(0, 1)]);
    let cases = [
        (
            given.met_by::<renamed>(),
            "#0 TaskScheduled of the activity `work`",
            "`other`",
        ),
        (
            given.met_by::<a_timer_instead>(),
            "`work`",
            "#0 TimerCreated",
        ),
        (given.met_by::<removed>(), "`work`", "asks for nothing"),
        (
            given.met_by::<one_more>(),
            "#1 TaskScheduled",
            "records nothing",
        ),
        (
            given.met_by::<a_child_instead>(),
            "`work`",
            "SubOrchestrationInstanceCreated of `removed`",
        ),
        (
            given.met_by::<waits_instead>(),
            "`work`",
            "asks for nothing",
        ),
    ];
    for (turn, recorded, now) in cases {
        let failure = failure(&turn);
        assert_eq!(failure.error_type, "NonDeterminismError");
        let text = &failure.message;
        assert!(text.contains(recorded) && text.contains(now), "{text}");
        // What the other code asked for is neither done nor written.
        assert!(turn.asked().len() == 0, "{turn:?}");
        assert_eq!(turn.events.len(), 3, "{turn:?}");
    }
}

/// Vectors 49 and 50: answers to nothing are dropped; that of another execution is by its id (`hub::resident`).
#[test]
fn answer_to_nothing_is_dropped() {
    let mut given = Given::of::<as_recorded>(());
    given.start();
    let turn = given.turn([done(99, 1), fired(0), fired(7)]);
    assert_eq!(turn.events.len(), 2, "{turn:?}");
    assert!(turn.end.is_none());
    assert_eq!(asks(&given.turn([done(0, 1), done(0, 2)])), ["1 work"]);
    assert_eq!(output(&given.turn([done(0, 3), done(1, 4)])), json!(4));
}
