//! Code that strays: what is said of it, and how an instance outlives it where the host is told to suspend.

use std::sync::Mutex;
use std::time::Duration;

use durable_macros::{entity_trigger, orchestration_trigger};
use futures::channel::oneshot;
use serde_json::json;

use super::work;
use crate::model::HistoryEvent as H;
use crate::replay::core::Limits;
use crate::replay::tests::given::{Given, asks, done, failure, fired, output, raised};
use crate::replay::{Nondeterminism, Turn};
use crate::{EntityContext, EntityId, OrchestrationContext, Result};

#[entity_trigger(crate = crate)]
async fn locked(_ctx: &mut EntityContext) {}

fn suspends() -> Limits {
    Limits {
        nondeterminism: Nondeterminism::Suspend,
        ..Limits::default()
    }
}

fn resumed() -> H {
    H::ExecutionResumed { reason: None }
}

/// Why a turn halted its instance, which it did and nothing else.
fn halted(turn: &Turn) -> &str {
    assert!(
        turn.suspended && turn.strayed && turn.end.is_none(),
        "{turn:?}"
    );
    assert!(turn.asked().len() == 0, "{turn:?}");
    match &turn.events[..] {
        [
            ..,
            H::ExecutionSuspended {
                reason: Some(reason),
            },
            H::OrchestratorCompleted,
        ] => reason,
        other => panic!("{other:?}"),
    }
}

#[orchestration_trigger(crate = crate)]
async fn two_steps(ctx: OrchestrationContext) -> Result<u64> {
    let first = ctx.call_activity::<work>(1).await?;
    let more: u64 = ctx.wait_for_external_event("more").await?;
    Ok(first + more + ctx.call_activity::<work>(2).await?)
}

#[orchestration_trigger(crate = crate)]
async fn a_timer_first(ctx: OrchestrationContext) -> Result<u64> {
    ctx.create_timer(Duration::from_secs(1)).await;
    Ok(1)
}

#[test]
fn an_instance_outlives_code_that_does_not_fit_it() {
    let mut given = Given::limited::<two_steps>((), suspends());
    given.start();
    let turn = given.turn_of::<a_timer_first>([done(0, 10)]);
    let reason = halted(&turn);
    assert!(
        reason.contains("`a_timer_first`") && reason.contains("straying.rs:"),
        "{reason}"
    );
    assert!(
        reason.contains("#0 TaskScheduled of the activity `work`")
            && reason.contains("#0 TimerCreated"),
        "{reason}"
    );
    // What comes meanwhile is kept, once; what the wrong code would ask for is not asked for.
    let turn = given.turn_of::<a_timer_first>([raised("more", 5), done(0, 11), fired(0)]);
    assert_eq!(turn.events.len(), 3, "{turn:?}");
    assert!(turn.suspended && !turn.strayed, "{turn:?}");
    // Resumed too early, it is halted again.
    halted(&given.turn_of::<a_timer_first>([resumed()]));
    // Its own code goes on from all that came.
    assert_eq!(asks(&given.turn([resumed()])), ["1 work"]);
    assert_eq!(output(&given.turn([done(1, 100)])), json!(115));
}

#[test]
fn an_instance_whose_code_does_not_fit_it_can_be_ended() {
    let mut given = Given::limited::<holds_a_lock>((), suspends());
    given.start();
    given.turn([H::EntityLockGranted { id: 0 }]);
    halted(&given.turn_of::<a_timer_first>([]));
    let terminated = H::ExecutionTerminated {
        reason: Some("no use".into()),
        recursive: false,
    };
    let turn = given.turn_of::<a_timer_first>([terminated]);
    let unlocks = turn.asked().map(|asked| asked.event);
    let unlocks: Vec<_> = unlocks
        .filter(|event| matches!(event, H::EntityUnlockSent { .. }))
        .collect();
    assert_eq!(unlocks.len(), 2, "{turn:?}");
}

#[orchestration_trigger(crate = crate)]
async fn holds_a_lock(ctx: OrchestrationContext) -> Result<()> {
    let ids = ["a", "b"].map(|key| EntityId::new("locked", key));
    let _lock = ctx.lock_entities(ids).await?;
    ctx.wait_for_external_event::<()>("never").await?;
    Ok(())
}

#[orchestration_trigger(crate = crate)]
async fn waits_for_ever(ctx: OrchestrationContext) -> Result<()> {
    ctx.call_activity::<work>(1).await?;
    std::future::pending().await
}

#[orchestration_trigger(crate = crate)]
async fn waits_at_once(_ctx: OrchestrationContext) -> Result<()> {
    std::future::pending().await
}

async fn nap() {
    tokio::time::sleep(Duration::from_secs(1)).await;
}

#[orchestration_trigger(crate = crate)]
async fn asks_the_runtime(ctx: OrchestrationContext) -> Result<()> {
    ctx.create_timer(Duration::from_secs(1)).await;
    nap().await;
    Ok(())
}

#[orchestration_trigger(crate = crate)]
async fn wakes_itself(ctx: OrchestrationContext) -> Result<()> {
    ctx.send_event("other", "name", 1);
    std::future::poll_fn(|cx| {
        cx.waker().wake_by_ref();
        std::task::Poll::<()>::Pending
    })
    .await;
    Ok(())
}

/// All of what such a failure says.
fn assert_names(text: &str, what: &str, spot: &str) {
    let name = text.split('`').nth(1).unwrap();
    assert!(text.contains(what), "{text}");
    assert!(
        text.contains(&format!("; {spot}. Use `ctx.create_timer(..)` to wait")),
        "{text}"
    );
    for instead in [
        "ctx.call_activity::<f>(..)",
        "ctx.call_http(..)",
        "ctx.wait_for_external_event(..)",
    ] {
        assert!(text.contains(instead), "{text}");
    }
    // Where it is declared.
    let place = text.split_once(&format!("`{name}` (")).unwrap().1;
    let (place, _) = place.split_once(')').unwrap();
    let (file, line) = place.rsplit_once(':').unwrap();
    assert!(file.ends_with("straying.rs"), "{text}");
    let source = include_str!("straying.rs");
    let line: usize = line.parse().unwrap();
    let declared: Vec<_> = source.lines().skip(line - 1).take(2).collect();
    assert!(
        declared.concat().contains(&format!("async fn {name}(")),
        "{declared:?}"
    );
}

#[test]
fn what_waits_for_nothing_durable_is_named_with_its_spot() {
    let nothing = "waits for something that is not durable, or for nothing at all";
    let at_once = failure(&Given::of::<waits_at_once>(()).start());
    assert_names(&at_once.message, nothing, "before its first durable call");
    let mut given = Given::of::<waits_for_ever>(());
    given.start();
    let later = failure(&given.turn([done(0, 1)]));
    let spot = "after its last durable call, #0, the activity `work`";
    assert_names(&later.message, nothing, spot);
    assert_eq!(later.error_type, "NonDeterminismError");
    assert!(later.is_non_retriable);
    let mut given = Given::of::<asks_the_runtime>(());
    given.start();
    let runtime = failure(&given.turn([fired(0)]));
    let what = "uses tokio's clock or I/O, which no replay can repeat";
    assert_names(
        &runtime.message,
        what,
        "after its last durable call, #0, a timer",
    );
    let spinning = failure(&Given::of::<wakes_itself>(()).start());
    let what = "woke itself 10000 times in a row";
    let spot = "after its last durable call, #0, an event for the instance `other`";
    assert_names(&spinning.message, what, spot);
}

static SENDER: Mutex<Option<oneshot::Sender<()>>> = Mutex::new(None);

#[orchestration_trigger(crate = crate)]
async fn listens_to_a_channel(ctx: OrchestrationContext) -> Result<()> {
    let (sender, receiver) = oneshot::channel();
    *SENDER.lock().unwrap() = Some(sender);
    let call = ctx.call_activity::<work>(1);
    let _ = futures::future::select(call, receiver).await;
    Ok(())
}

#[test]
fn what_wakes_code_from_outside_is_named_with_its_spot() {
    let mut given = Given::of::<listens_to_a_channel>(());
    let first = given.first();
    assert!(given.resident_turn([first]).end.is_none());
    // Outside of any turn.
    SENDER.lock().unwrap().take().unwrap().send(()).unwrap();
    let text = failure(&given.resident_turn([])).message;
    let what = "was woken by something that is not durable: a timer, socket, channel or lock that another thread drives";
    assert_names(
        &text,
        what,
        "after its last durable call, #0, the activity `work`",
    );
}

/// What it asked for in the turn in which it strayed is asked for by code that does not.
#[test]
fn a_fixed_build_takes_up_what_strayed_in_its_first_turn_or_later() {
    let mut given = Given::limited::<two_steps>((), suspends());
    let first = given.first();
    halted(&given.turn_of::<asks_and_waits>([first, raised("more", 5)]));
    assert_eq!(asks(&given.turn([resumed()])), ["0 work"]);
    halted(&given.turn_of::<asks_and_waits>([done(0, 10)]));
    assert_eq!(asks(&given.turn([resumed()])), ["1 work"]);
    assert_eq!(output(&given.turn([done(1, 100)])), json!(115));
}

#[orchestration_trigger(crate = crate)]
async fn asks_and_waits(ctx: OrchestrationContext) -> Result<u64> {
    let _call = ctx.call_activity::<work>(1);
    let _lock = ctx.lock_entities([EntityId::new("locked", "a")]);
    std::future::pending().await
}
