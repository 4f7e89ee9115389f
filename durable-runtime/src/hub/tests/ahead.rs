//! Turns are not made faster than the store takes them.

use futures::future::try_join_all;

use super::held::Held;
use super::*;

#[orchestration_trigger(crate = crate)]
async fn brief(_ctx: OrchestrationContext, n: u32) -> Result<u32> {
    Ok(n)
}

/// How many turns are not stored when all threads wait for the store.
async fn when_all_are_held(hub: &Hub, threads: usize) -> usize {
    let held = async {
        loop {
            let (held, unstored) = hub.engine.queue.ahead();
            if held == threads {
                break unstored;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, held).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn threads_wait_for_a_store_that_is_behind_and_go_on_with_it() {
    const MOST: usize = 10;
    let folder = tempfile::tempdir().unwrap();
    let journal = Held::of(&folder);
    let settings = Settings {
        max_unstored: MOST,
        ..Settings::default()
    };
    let threads = settings.max_concurrent_orchestrations;
    let hub = hub_with(Arc::new(journal.clone()), settings);
    journal.hold();
    let client = hub.client();
    let starts = (0..200).map(|n| tokio::spawn(client.start_new::<brief>(n).into_future()));
    let starts: Vec<_> = starts.collect();
    let unstored = when_all_are_held(&hub, threads).await;
    // Each may have begun its last one before the others had submitted theirs.
    assert!((MOST..MOST + threads).contains(&unstored), "{unstored}");
    assert!(!hub.engine.busy.is_quiet());
    journal.release();
    let ids = try_join_all(starts).await.unwrap();
    for (id, n) in ids.into_iter().zip(0..) {
        let end = client.wait_for_completion(id.unwrap(), PATIENCE).await;
        assert_eq!(end.unwrap().output, Some(json!(n)));
    }
    hub.engine.busy.quiet().await;
    assert_eq!(hub.engine.queue.ahead().1, 0);
    hub.shutdown().await;
}

/// As when the disk is full and the host is told to stop.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn threads_that_wait_for_the_store_do_not_outlive_the_hub() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Held::of(&folder);
    let settings = Settings {
        max_unstored: 1,
        ..Settings::default()
    };
    let threads = settings.max_concurrent_orchestrations;
    let hub = hub_with(Arc::new(journal.clone()), settings);
    journal.hold();
    let client = hub.client();
    let starts = (0..200).map(|n| tokio::spawn(client.start_new::<brief>(n).into_future()));
    let _starts: Vec<_> = starts.collect();
    when_all_are_held(&hub, threads).await;
    let engine = Arc::downgrade(&hub.engine);
    drop(hub);
    let ended = async {
        while engine
            .upgrade()
            .is_some_and(|engine| engine.queue.alive() > 0)
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, ended).await.unwrap();
}

/// A full disk keeps turns for ever and refuses starts at once; but to be refused they have to get there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_reaches_a_store_that_answers_no_turn() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Held::of(&folder);
    let settings = Settings {
        max_unstored: 1,
        ..Settings::default()
    };
    let hub = hub_with(Arc::new(journal.clone()), settings);
    let client = hub.client();
    let id = client.start_new::<told_to_go>(()).await.unwrap();
    hub.engine.busy.quiet().await;
    journal.hold();
    let raise = tokio::spawn(client.raise_event(&id, "go", 1));
    journal.written.notified().await;
    journal.release_and_hold();
    raise.await.unwrap().unwrap();
    // The turn that takes the event.
    journal.written.notified().await;
    let start = tokio::spawn(client.start_new::<told_to_go>(()).into_future());
    let arrived = tokio::time::timeout(PATIENCE, journal.written.notified()).await;
    assert!(arrived.is_ok(), "the start never came to the store");
    journal.release();
    start.await.unwrap().unwrap();
    hub.shutdown().await;
}
