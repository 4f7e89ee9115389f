//! External events while generations roll and clients hurry.

use std::time::Duration;

use durable_macros::orchestration_trigger;
use durable_runtime::{OrchestrationContext, Result, RuntimeStatus, TaskError};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde_json::{Value, json};

use crate::functions::approval;
use crate::host::{Host, PATIENCE};
use crate::scenarios::scenarios;

#[orchestration_trigger]
async fn contention(ctx: OrchestrationContext, generation: u32) -> Result<i64> {
    let wait = ctx.wait_for_external_event::<i64>("MyEvent");
    if generation > 0 {
        ctx.set_custom_status("waiting");
        return Ok(wait.await?);
    }
    match wait.with_timeout(Duration::from_millis(20)).await {
        Err(TaskError::Timeout) => ctx.continue_as_new(generation + 1),
        other => Ok(-other?),
    }
}

#[orchestration_trigger]
async fn counts_refusals(ctx: OrchestrationContext, n: u32) -> Result<u32> {
    if ctx.wait_for_external_event::<bool>("MyEvent").await? {
        return Ok(n);
    }
    ctx.continue_as_new(n + 1)
}

const BURST: usize = 100;

#[orchestration_trigger]
async fn rolling(ctx: OrchestrationContext, state: (Vec<usize>, bool)) -> Result<Vec<usize>> {
    let (mut seen, timers) = state;
    if timers {
        ctx.create_timer(Duration::from_millis(1)).await;
    }
    let wait = ctx.wait_for_external_event("n");
    let is_last = seen.len() + 1 == BURST;
    seen.push(match is_last {
        false => wait.with_timeout(Duration::from_secs(3600)).await?,
        // Its history is what is left: it would tell of a time-out, or not, as the event came before the wait or after.
        true => wait.await?,
    });
    if is_last {
        return Ok(seen);
    }
    ctx.continue_as_new((seen, timers))
}

#[orchestration_trigger]
async fn three_timers(ctx: OrchestrationContext) -> Result<Vec<u64>> {
    let timers = [90, 30, 60].map(|millis| {
        let timer = ctx.create_timer(Duration::from_millis(millis));
        async move {
            timer.await;
            millis
        }
    });
    let timers: FuturesUnordered<_> = timers.into_iter().collect();
    Ok(timers.collect().await)
}

scenarios! {
    // Vector 26.
    event_after_a_time_out_goes_to_the_next_generation(host) {
        let id = host.client.start_new::<contention>(0u32).await.unwrap();
        until_status(&host, &id, &json!("waiting")).await;
        host.client.raise_event(&id, "myevent", 42).await.unwrap();
        assert_eq!(host.end(&id).await.output, Some(json!(42)));
    }

    // Vector 28.
    eleven_events_over_eleven_generations(host; PerSender: a generation may begin with its event or wait for it) {
        let id = host.client.start_new::<counts_refusals>(0u32).await.unwrap();
        for n in 0..=10 {
            host.client.raise_event(&id, "MyEvent", n == 10).await.unwrap();
        }
        assert_eq!(host.end(&id).await.output, Some(json!(10)));
    }

    /// What a turn leaves to the next one came before what came while it ran, whoever reads the inbox then.
    events_keep_their_order_over_turns_that_run_one_generation(host, |settings| settings.max_generations = 1; PerSender: a generation may begin with its event or wait for it) {
        let id = host.client.start_new::<rolling>((vec![], false)).await.unwrap();
        let raises: Vec<_> = (0..BURST).map(|n| host.client.raise_event(&id, "n", n)).collect();
        for raise in raises {
            raise.await.unwrap();
        }
        let expected: Vec<usize> = (0..BURST).collect();
        assert_eq!(host.end(&id).await.output, Some(json!(expected)));
    }

    // Vector 31.
    burst_while_generations_roll_loses_nothing(host; PerSender: a client and timers) {
        for timers in [false, true] {
            let id = host.client.start_new::<rolling>((vec![], timers)).await.unwrap();
            for n in 0..BURST {
                host.client.raise_event(&id, "n", n).await.unwrap();
            }
            let expected: Vec<usize> = (0..BURST).collect();
            assert_eq!(host.end(&id).await.output, Some(json!(expected)), "timers: {timers}");
        }
    }

    // Vector 20.
    concurrent_timers_fire_in_due_order(host; PerSender: how many fire in one turn is the clocks affair) {
        let id = host.client.start_new::<three_timers>(()).await.unwrap();
        assert_eq!(host.end(&id).await.output, Some(json!([30, 60, 90])));
    }

    // Vector 93.
    instance_is_there_the_moment_its_start_returns(host) {
        for n in 0..20 {
            let id = host.client.start_new::<approval>(3_600_000u64).await.unwrap();
            assert!(host.client.get_status(&id).await.unwrap().is_some());
            if n % 2 == 0 {
                host.client.raise_event(&id, "approval", true).await.unwrap();
                assert_eq!(host.end(&id).await.runtime_status, RuntimeStatus::Completed);
            } else {
                host.client.terminate(&id, "enough").await.unwrap();
                assert_eq!(host.end(&id).await.runtime_status, RuntimeStatus::Terminated);
            }
        }
    }
}

/// The custom status comes with a commit; waits by asking again, since no signal tells of it.
pub(crate) async fn until_status(host: &Host, id: &str, status: &Value) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let now = host.client.get_status(id).await.unwrap().unwrap();
        if now.custom_status.as_ref() == Some(status) {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "{now:?}");
        tokio::task::yield_now().await;
    }
}
