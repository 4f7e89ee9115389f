//! What clients read of an instance while it works.

use std::sync::atomic::{AtomicBool, Ordering};

use super::held::Held;
use super::*;

static AT_WORK: AtomicBool = AtomicBool::new(false);
static GO_ON: AtomicBool = AtomicBool::new(false);

#[orchestration_trigger(crate = crate)]
async fn shows_two(ctx: OrchestrationContext) -> Result<()> {
    ctx.set_custom_status(&1);
    ctx.wait_for_external_event::<()>("go").await?;
    AT_WORK.store(true, Ordering::SeqCst);
    while !GO_ON.load(Ordering::SeqCst) {
        std::thread::yield_now();
    }
    ctx.set_custom_status(&2);
    Ok(ctx.wait_for_external_event("end").await?)
}

/// The store has a commit before memory is told of it: a read that began while the turn was made may find it there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_status_is_never_older_than_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Held::of(&folder);
    let hub = hub_with(Arc::new(journal.clone()), Settings::default());
    let client = hub.client();
    let id = client.start_new::<shows_two>(()).await.unwrap();
    hub.engine.busy.quiet().await;
    let reads = journal.reads.write().await;
    client.raise_event(&id, "go", ()).await.unwrap();
    while !AT_WORK.load(Ordering::SeqCst) {
        tokio::task::yield_now().await;
    }
    journal.hold();
    let mut read = std::pin::pin!(client.get_status(&id).into_future());
    assert!(
        futures::poll!(&mut read).is_pending(),
        "memory has a turn to make"
    );
    GO_ON.store(true, Ordering::SeqCst);
    journal.written.notified().await;
    drop(reads);
    let shown = |status: Option<crate::OrchestrationStatus>| {
        let shown = status.unwrap().custom_status.unwrap();
        shown.as_u64().unwrap()
    };
    let first = shown(read.await.unwrap());
    let second = shown(client.get_status(&id).await.unwrap());
    assert!(first <= second, "{first}, then {second}");
    journal.release();
    hub.engine.busy.quiet().await;
    assert_eq!(shown(client.get_status(&id).await.unwrap()), 2);
    hub.shutdown().await;
}
