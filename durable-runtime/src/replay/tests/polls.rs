//! What an event costs, in polls: one for a resident instance, whatever lies behind it; loading is linear.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;

use durable_macros::{activity_trigger, orchestration_trigger};
use serde_json::json;

use super::given::{Given, done, output};
use crate::{OrchestrationContext, Result};

thread_local! {
    static BEGUN: Cell<usize> = const { Cell::new(0) };
    static POLLS: Cell<usize> = const { Cell::new(0) };
}

#[activity_trigger(crate = crate)]
fn step(n: u64) -> u64 {
    n
}

#[orchestration_trigger(crate = crate)]
async fn long_chain(ctx: OrchestrationContext, length: u64) -> Result<u64> {
    BEGUN.set(BEGUN.get() + 1);
    let mut chain = pin!(async {
        for n in 0..length {
            ctx.call_activity::<step>(n).await?;
        }
        Ok(length)
    });
    poll_fn(|cx| {
        POLLS.set(POLLS.get() + 1);
        chain.as_mut().poll(cx)
    })
    .await
}

#[orchestration_trigger(crate = crate)]
async fn wide_join(ctx: OrchestrationContext, width: u64) -> Result<usize> {
    BEGUN.set(BEGUN.get() + 1);
    let all = ctx.when_all((0..width).map(|n| ctx.call_activity::<step>(n)));
    let mut all = pin!(all);
    let all = poll_fn(|cx| {
        POLLS.set(POLLS.get() + 1);
        all.as_mut().poll(cx)
    });
    Ok(all.await?.len())
}

fn spent<T>(run: impl FnOnce() -> T) -> (T, usize, usize) {
    let (begun, polls) = (BEGUN.get(), POLLS.get());
    let value = run();
    (value, BEGUN.get() - begun, POLLS.get() - polls)
}

#[test]
fn resident_instance_is_polled_once_for_each_event_and_never_replayed() {
    for length in [10, 100, 1_000] {
        let mut given = Given::of::<long_chain>(length);
        let (_, begun, polls) = spent(|| given.start());
        // `start` also makes the turn on an instance that was loaded.
        assert_eq!((begun, polls), (2, 2));
        for id in 0..length - 1 {
            let (turn, begun, polls) =
                spent(|| given.resident_turn([done(i64::try_from(id).unwrap(), 0)]));
            assert_eq!((begun, polls), (0, 1), "event {id} of {length}");
            assert_eq!(turn.asked().len(), 1);
        }
        // Loading polls once for each event of history, in one replay.
        let (_, begun, polls) = spent(|| given.loaded());
        assert_eq!((begun as u64, polls as u64), (1, length));
        let last = i64::try_from(length).unwrap() - 1;
        assert_eq!(output(&given.resident_turn([done(last, 0)])), json!(length));
    }
}

#[test]
fn wide_join_costs_a_few_polls_for_each_answer() {
    for width in [10, 100, 1_000] {
        let mut given = Given::of::<wide_join>(width);
        given.start();
        for id in 0..width {
            let (_, begun, polls) =
                spent(|| given.resident_turn([done(i64::try_from(id).unwrap(), 0)]));
            // A large join wakes itself once more after each round (spec T4.3).
            assert!(begun == 0 && polls <= 3, "{polls} polls for one of {width}");
        }
        let (_, begun, polls) = spent(|| given.loaded());
        assert_eq!(begun, 1);
        assert!(
            polls as u64 <= 3 * (width + 1),
            "{polls} polls to load {width}"
        );
    }
}
