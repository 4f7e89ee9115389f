//! A start that is waited for to its end: one wake, and nothing told too early.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use super::held::Held;
use super::*;
use crate::ClientError;

/// Counts wakes, and tells of them.
#[derive(Default)]
struct Count {
    wakes: AtomicUsize,
    woken: tokio::sync::Notify,
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.wakes.fetch_add(1, Ordering::SeqCst);
        self.woken.notify_one();
    }
}

#[orchestration_trigger(crate = crate)]
async fn over_at_once(_ctx: OrchestrationContext) -> Result<u32> {
    Ok(3)
}

fn hub(journal: &Held) -> Hub {
    hub_on(Arc::new(journal.clone()), PATIENCE)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_wakes_who_waits_for_it_and_the_start_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Held::of(&folder);
    let hub = hub(&journal);
    let client = hub.client();
    journal.hold();
    let start = client
        .start_new::<told_to_go>(())
        .with_instance_id("waited");
    let mut ending = pin!(start.to_end(PATIENCE));
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    let mut context = Context::from_waker(&waker);
    assert!(ending.as_mut().poll(&mut context).is_pending());
    journal.written.notified().await;
    // The start is stored, and acknowledged.
    journal.release();
    assert_eq!(count.wakes.load(Ordering::SeqCst), 0);
    client.raise_event("waited", "go", 5).await.unwrap();
    count.woken.notified().await;
    let Poll::Ready(Ok((id, Some(end)))) = ending.as_mut().poll(&mut context) else {
        panic!("it was woken before the end");
    };
    assert_eq!(
        (&*id, end.output.as_ref().unwrap().as_str()),
        ("waited", "5")
    );
    assert_eq!(count.wakes.load(Ordering::SeqCst), 1);
    hub.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_that_comes_with_the_start_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let hub = hub(&Held::of(&folder));
    let ended = hub.client().start_new::<over_at_once>(()).to_end(PATIENCE);
    let (_, end) = ended.await.unwrap();
    assert_eq!(end.unwrap().output.as_ref().unwrap().as_str(), "3");
    hub.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_start_is_told_to_who_waits_for_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Held::of(&folder);
    let hub = hub(&journal);
    let client = hub.client();
    let start = || client.start_new::<told_to_go>(()).with_instance_id("taken");
    start().await.unwrap();
    let taken = start().to_end(PATIENCE).await;
    assert!(
        matches!(taken, Err(ClientError::AlreadyExists(_))),
        "{taken:?}"
    );
    journal.hold_and_refuse_turns();
    let other = client.start_new::<told_to_go>(()).with_instance_id("other");
    let refused = tokio::spawn(other.to_end(PATIENCE));
    journal.written.notified().await;
    journal.release();
    assert!(refused.await.unwrap().is_err());
    hub.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_is_stored_before_its_id_is_told_however_short_the_time() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Held::of(&folder);
    let hub = hub(&journal);
    let client = hub.client();
    journal.hold();
    let start = client.start_new::<told_to_go>(()).with_instance_id("short");
    let mut ending = pin!(start.to_end(Duration::ZERO));
    assert!(futures::poll!(&mut ending).is_pending());
    journal.written.notified().await;
    assert!(futures::poll!(&mut ending).is_pending());
    journal.release();
    let (id, end) = ending.await.unwrap();
    assert!(id == "short" && end.is_none());
    assert!(client.get_status(&id).await.unwrap().is_some());
    hub.shutdown().await;
}

/// Nor does anybody who went away while the start was on its way to the disk.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gives_up_before_the_start_is_stored_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Held::of(&folder);
    let hub = hub(&journal);
    let client = hub.client();
    journal.hold();
    for _ in 0..10 {
        let start = client.start_new::<told_to_go>(()).to_end(PATIENCE);
        assert!(tokio::time::timeout(Duration::ZERO, start).await.is_err());
        let start = client.start_new::<told_to_go>(()).to_end(Duration::ZERO);
        tokio::spawn(start);
    }
    journal.release();
    hub.engine.busy.quiet().await;
    let left = async {
        while hub.engine.waiters.len() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, left).await.unwrap();
    hub.shutdown().await;
}
