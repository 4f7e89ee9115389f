//! A message counts once, and comes, whoever is late (law 3).

use super::held::Held;
use super::*;

#[orchestration_trigger(crate = crate)]
async fn two_events(ctx: OrchestrationContext) -> Result<(u32, u32)> {
    let first = ctx.wait_for_external_event("n").await?;
    Ok((first, ctx.wait_for_external_event("n").await?))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn message_that_a_load_finds_before_it_arrives_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Held::of(&folder);
    // Evicted after each turn, so that the next one loads.
    let hub = hub_on(Arc::new(journal.clone()), Duration::ZERO);
    let client = hub.client();
    let id: Arc<str> = client.start_new::<two_events>(()).await.unwrap().into();
    // It has left memory: who is asked to look at an instance that is about to leave does not load it.
    hub.engine.busy.quiet().await;
    journal.hold();
    let raise = tokio::spawn(client.raise_event(&id, "n", 1));
    journal.written.notified().await;
    // Stored, not arrived; something else has the instance loaded, and its turn takes the message.
    hub.engine.poke(&id);
    journal.written.notified().await;
    journal.release();
    raise.await.unwrap().unwrap();
    client.raise_event(&id, "n", 2).await.unwrap();
    let end = client.wait_for_completion(&id, PATIENCE).await.unwrap();
    assert_eq!(end.output, Some(json!([1, 2])));
    hub.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn message_arrives_though_its_sender_has_gone_away() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Held::of(&folder);
    let hub = hub_on(Arc::new(journal.clone()), PATIENCE);
    let client = hub.client();
    let id = client.start_new::<two_events>(()).await.unwrap();
    journal.hold();
    for n in [1, 2] {
        let raise = tokio::spawn(client.raise_event(&id, "n", n));
        journal.written.notified().await;
        raise.abort();
        assert!(raise.await.unwrap_err().is_cancelled());
    }
    journal.release();
    let end = client.wait_for_completion(&id, PATIENCE).await.unwrap();
    assert_eq!(end.output, Some(json!([1, 2])));
    hub.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn look_that_is_asked_for_during_a_turn_follows_it() {
    let folder = tempfile::tempdir().unwrap();
    let hub = hub_on(Arc::new(store(&folder)), PATIENCE);
    let client = hub.client();
    let id: Arc<str> = client.start_new::<two_events>(()).await.unwrap().into();
    hub.engine.busy.quiet().await;
    let cell = hub.engine.cells.get(&id).unwrap();
    // A thread has it, and has seen all that there was.
    cell.lock().scheduled = true;
    hub.engine.poke(&id);
    {
        let mut state = cell.lock();
        crate::hub::turns::reschedule(&hub.engine, &cell, &mut state);
        assert!(state.scheduled);
    }
    hub.engine.busy.quiet().await;
    assert!(!cell.lock().again && !cell.lock().scheduled);
    hub.shutdown().await;
}
