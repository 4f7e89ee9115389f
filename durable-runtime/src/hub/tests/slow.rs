//! What takes too long: a turn on its thread, and the disk before an activity.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use durable_macros::activity_trigger;

use super::held::Held;
use super::*;
use crate::ActivityContext;
use crate::store::{Change, Parts};

static AT_WORK: AtomicBool = AtomicBool::new(false);
static REPLACED: AtomicBool = AtomicBool::new(false);

#[orchestration_trigger(crate = crate)]
async fn blocks_its_thread(ctx: OrchestrationContext) -> Result<u32> {
    ctx.wait_for_external_event::<u32>("begin").await?;
    AT_WORK.store(true, Ordering::SeqCst);
    while !REPLACED.load(Ordering::SeqCst) {
        std::thread::yield_now();
    }
    Ok(ctx.wait_for_external_event::<u32>("go").await?)
}

/// A thread that is replaced ends, and what was queued for it as the one that takes it next is another's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_during_a_slow_turn_is_taken_when_its_thread_ends() {
    let folder = tempfile::tempdir().unwrap();
    let hub = hub_on(Arc::new(store(&folder)), PATIENCE);
    let client = hub.client();
    let start = client.start_new::<blocks_its_thread>(());
    let id = start.await.unwrap();
    let threads = hub.engine.queue.alive();
    client.raise_event(&id, "begin", 1).await.unwrap();
    while !AT_WORK.load(Ordering::SeqCst) {
        tokio::task::yield_now().await;
    }
    client.raise_event(&id, "go", 5).await.unwrap();
    while hub.engine.queue.alive() == threads {
        tokio::task::yield_now().await;
    }
    REPLACED.store(true, Ordering::SeqCst);
    let end = client.wait_for_completion(&id, PATIENCE).await;
    assert_eq!(end.unwrap().output, Some(json!(5)));
    hub.shutdown().await;
}

static RUNS: AtomicUsize = AtomicUsize::new(0);

/// Its first host goes down with it; later ones let it end.
#[activity_trigger(crate = crate)]
async fn lasts_a_moment(_ctx: ActivityContext) -> Result<u32> {
    if RUNS.fetch_add(1, Ordering::SeqCst) == 0 {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(Duration::from_millis(5)).await;
    Ok(7)
}

#[orchestration_trigger(crate = crate)]
async fn calls_it(ctx: OrchestrationContext) -> Result<u32> {
    Ok(ctx.call_activity::<lasts_a_moment>(()).await?)
}

/// From the third delivery on a start is stored before it happens.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_count_of_a_delivery_is_no_part_of_the_time_of_the_activity() {
    const LIMIT: Duration = Duration::from_secs(2);
    let folder = tempfile::tempdir().unwrap();
    let journal = Held::of(&folder);
    let settings = |limit| Settings {
        function_timeout: limit,
        redelivery_delay: Duration::from_millis(1),
        ..Settings::default()
    };
    let hub = hub_with(Arc::new(journal.clone()), settings(None));
    let client = hub.client();
    let id = client.start_new::<calls_it>(()).await.unwrap();
    while RUNS.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let record = client.record(&id, Parts::ALL).await.unwrap().unwrap();
    drop(hub);
    for _ in 0..2 {
        let (tell, told) = tokio::sync::oneshot::channel();
        let change = Change::Redeliver {
            key: record.key,
            tasks: vec![0],
        };
        let done = move |result: std::result::Result<_, _>| {
            let _ = tell.send(result.is_ok());
        };
        journal.submit(change, Box::new(done));
        assert!(told.await.unwrap());
    }
    journal.hold();
    let hub = hub_with(Arc::new(journal.clone()), settings(Some(LIMIT)));
    let client = hub.client();
    let end = client.wait_for_completion(&id, PATIENCE);
    let disk = async {
        loop {
            journal.written.notified().await;
            // Each commit takes longer than the activity may.
            tokio::time::sleep(LIMIT + LIMIT / 4).await;
            journal.release_and_hold();
        }
    };
    let end = tokio::select! {
        end = end => end.unwrap(),
        () = disk => unreachable!(),
    };
    assert_eq!(end.output, Some(json!(7)), "{end:?}");
    journal.release();
}
