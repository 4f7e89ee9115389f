//! Waiting for all.

use std::time::Duration;

use durable_macros::orchestration_trigger;
use futures::future::join_all;
use futures::stream::{FuturesUnordered, StreamExt};
use serde_json::json;

use super::work;
use crate::replay::tests::given::{Given, asks, done, failed, failure, fired, output, raised};
use crate::{OrchestrationContext, Result, RetryPolicy};

#[orchestration_trigger(crate = crate)]
async fn two_retrying(ctx: OrchestrationContext) -> Result<Vec<u64>> {
    let policy = |attempts| RetryPolicy::new(attempts, Duration::from_secs(5));
    let all = [
        ctx.call_activity::<work>(1).with_retry(policy(1)),
        ctx.call_activity::<work>(2).with_retry(policy(3)),
    ];
    Ok(ctx.when_all(all).await?)
}

/// Vector 13.
#[test]
fn join_fails_only_after_the_other_has_finished_its_retries() {
    let mut given = Given::of::<two_retrying>(());
    given.start();
    let turn = given.turn([failed(0, "first"), failed(1, "again")]);
    assert_eq!(asks(&turn), ["2 timer 5"]);
    assert!(turn.end.is_none());
    assert_eq!(asks(&given.turn([fired(2)])), ["3 work"]);
    let failure = failure(&given.turn([done(3, 2)]));
    assert!(failure.message.contains("first"), "{failure:?}");
}

#[orchestration_trigger(crate = crate)]
async fn of_nothing(ctx: OrchestrationContext) -> Result<usize> {
    let none: [crate::ActivityCall<u64>; 0] = [];
    Ok(ctx.when_all(none).await?.len())
}

#[orchestration_trigger(crate = crate)]
async fn of_some_that_are_done(ctx: OrchestrationContext) -> Result<Vec<u64>> {
    let all: Vec<_> = (0..3).map(|n| ctx.call_activity::<work>(n)).collect();
    ctx.wait_for_external_event::<()>("go").await?;
    Ok(ctx.when_all(all).await?)
}

/// Vector 14.
#[test]
fn join_of_nothing_is_done_and_what_was_done_before_counts() {
    assert_eq!(output(&Given::of::<of_nothing>(()).start()), json!(0));
    let mut given = Given::of::<of_some_that_are_done>(());
    given.start();
    given.turn([done(2, 30), done(0, 10)]);
    assert!(given.turn([raised("go", ())]).end.is_none());
    assert_eq!(output(&given.turn([done(1, 20)])), json!([10, 20, 30]));
    let mut given = Given::of::<of_some_that_are_done>(());
    given.start();
    given.turn([done(2, 30), done(0, 10), done(1, 20)]);
    assert_eq!(output(&given.turn([raised("go", ())])), json!([10, 20, 30]));
}

#[orchestration_trigger(crate = crate)]
async fn of_ten(ctx: OrchestrationContext) -> Result<Vec<u64>> {
    Ok(ctx
        .when_all((0..10).map(|n| ctx.call_activity::<work>(n)))
        .await?)
}

/// Vector 15.
#[test]
fn one_failure_of_ten_shows_when_all_have_ended() {
    let mut given = Given::of::<of_ten>(());
    assert_eq!(given.start().asked().len(), 10);
    let first = (0..5)
        .map(|id| done(id, id))
        .chain([failed(5, "the fifth")]);
    let turn = given.turn(first);
    assert!(turn.end.is_none() && turn.asked().len() == 0);
    let failure = failure(&given.turn((6..10).map(|id| done(id, id))));
    assert!(failure.message.contains("the fifth"), "{failure:?}");
    assert!(failure.is_caused_by("Boom"));
}

#[orchestration_trigger(crate = crate)]
async fn of_a_hundred(ctx: OrchestrationContext) -> Result<Vec<u64>> {
    // Each of two calls: one that is woken must go on while the others wait.
    let twice = |n| {
        let ctx = ctx.clone();
        async move {
            let n = ctx.call_activity::<work>(n).await?;
            ctx.call_activity::<work>(n).await
        }
    };
    Ok(ctx.when_all((0..100).map(twice)).await?)
}

#[test]
fn wide_join_gives_in_argument_order_what_came_in_any_other() {
    let mut given = Given::of::<of_a_hundred>(());
    assert_eq!(given.start().asked().len(), 100);
    let turn = given.turn(shuffled(0..100).into_iter().map(|id| done(id, id)));
    let again: Vec<i64> = turn
        .asked()
        .filter_map(|asked| asked.event.task_id())
        .collect();
    assert_eq!(again, (100..200).collect::<Vec<_>>());
    // The second calls were made in the order in which the first were answered.
    let whose = |id: i64| shuffled(0..100)[usize::try_from(id - 100).unwrap()];
    let mut last = shuffled(again.into_iter());
    let end = last.split_off(99);
    let turn = given.turn(last.iter().map(|id| done(*id, whose(*id))));
    assert!(turn.end.is_none());
    let turn = given.turn(end.iter().map(|id| done(*id, whose(*id))));
    assert_eq!(output(&turn), json!((0..100).collect::<Vec<_>>()));

    let mut given = Given::of::<of_a_hundred>(());
    given.start();
    let failed_ids = [70, 20];
    let late = failed_ids.map(|id| failed(id, &format!("number {id}")));
    given.turn(
        (0..100)
            .filter(|id| !failed_ids.contains(id))
            .map(|id| done(id, id)),
    );
    given.turn(late);
    let failure = failure(&given.turn((100..198).map(|id| done(id, id))));
    assert!(failure.message.contains("number 20"), "{failure:?}");
    let causes = std::iter::successors(Some(&failure), |failure| failure.inner.as_deref());
    let others: Vec<String> = causes
        .filter_map(|failure| Some(failure.properties.get("others")?.to_string()))
        .collect();
    assert!(
        others.len() == 1 && others[0].contains("number 70"),
        "{failure:?}"
    );
}

#[orchestration_trigger(crate = crate)]
async fn retries_by_hand(ctx: OrchestrationContext) -> Result<u32> {
    let mut caught = 0;
    while ctx.call_activity::<work>(0).await.is_err() {
        caught += 1;
    }
    Ok(caught)
}

/// Vector 5.
#[test]
fn failure_that_the_code_catches_is_an_ordinary_value() {
    let mut given = Given::of::<retries_by_hand>(());
    given.start();
    for id in 0..5 {
        assert_eq!(
            asks(&given.turn([failed(id, "no")])),
            [format!("{} work", id + 1)]
        );
    }
    assert_eq!(output(&given.turn([done(5, 0)])), json!(5));
}

const MANY: u64 = 2_000;

#[orchestration_trigger(crate = crate)]
async fn many_unordered(ctx: OrchestrationContext) -> Result<Vec<u64>> {
    let pool: FuturesUnordered<_> = (0..MANY).map(|n| ctx.call_activity::<work>(n)).collect();
    let all: Vec<_> = pool.collect().await;
    all.into_iter().map(|value| Ok(value?)).collect()
}

#[orchestration_trigger(crate = crate)]
async fn many_in_order(ctx: OrchestrationContext) -> Result<Vec<u64>> {
    let mut all = Vec::new();
    for chunk in 0..MANY / 40 {
        let calls = (0..40).map(|n| ctx.call_activity::<work>(chunk * 40 + n));
        for value in join_all(calls).await {
            all.push(value?);
        }
    }
    Ok(all)
}

#[orchestration_trigger(crate = crate)]
async fn many_buffered(ctx: OrchestrationContext) -> Result<Vec<u64>> {
    let calls = futures::stream::iter(0..MANY).map(|n| ctx.call_activity::<work>(n));
    let all: Vec<_> = calls.buffer_unordered(8).collect().await;
    all.into_iter().map(|value| Ok(value?)).collect()
}

/// Any order that is not that of the calls, the same each time.
fn shuffled(ids: impl Iterator<Item = i64>) -> Vec<i64> {
    let mut ids: Vec<i64> = ids.collect();
    ids.sort_by_key(|id| id.wrapping_mul(7_919) % 2_003);
    ids
}

/// Answers whatever a turn asks for, shuffled, in batches, until the end. Gives the output and the order of the answers.
/// Now and then the instance is loaded beside it.
fn answered<S: crate::Orchestrator>(batch: usize) -> (Vec<u64>, Vec<u64>) {
    let mut given = Given::of::<S>(());
    let (mut turn, mut order, mut open) = (given.start(), Vec::new(), Vec::new());
    let mut turns = 0;
    while turn.end.is_none() {
        open.extend(turn.asked().filter_map(|asked| asked.event.task_id()));
        open = shuffled(open.into_iter());
        let rest = open.split_off(batch.min(open.len()));
        order.extend(open.iter().map(|id| u64::try_from(*id).unwrap()));
        let answers: Vec<_> = std::mem::replace(&mut open, rest);
        let answers = answers.into_iter().map(|id| done(id, id));
        turns += 1;
        turn = if turns % 25 == 0 {
            given.turn(answers)
        } else {
            given.resident_turn(answers)
        };
    }
    (serde_json::from_value(output(&turn)).unwrap(), order)
}

/// Vector 90.
#[test]
fn two_thousand_shuffled_answers_finish_every_kind_of_join() {
    let (unordered, order) = answered::<many_unordered>(500);
    assert_eq!(unordered, order);
    let (in_order, _) = answered::<many_in_order>(40);
    assert_eq!(in_order, (0..MANY).collect::<Vec<_>>());
    let (buffered, order) = answered::<many_buffered>(8);
    assert_eq!(buffered, order);
    assert_eq!(buffered.len() as u64, MANY);
}
