//! Activities that start before their turn is durable: nothing but their start is early.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex};

use durable_macros::{activity_trigger, orchestration_trigger};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use super::held::Held;
use super::*;
use crate::ActivityContext;
use crate::model::HistoryEvent;

/// A run of [`visible`]: it ends when it is told to.
struct Run {
    end: oneshot::Sender<u32>,
    token: tokio_util::sync::CancellationToken,
    key: String,
}

/// Who watches the runs of an instance.
static WATCHERS: LazyLock<Mutex<BTreeMap<String, UnboundedSender<Run>>>> =
    LazyLock::new(Mutex::default);

fn watch(id: &str) -> UnboundedReceiver<Run> {
    let (sender, runs) = unbounded_channel();
    WATCHERS.lock().unwrap().insert(id.to_owned(), sender);
    runs
}

#[activity_trigger(crate = crate)]
async fn visible(ctx: ActivityContext) -> Result<u32> {
    let (end, ended) = oneshot::channel();
    let run = Run {
        end,
        token: ctx.cancellation_token(),
        key: ctx.idempotency_key().to_owned(),
    };
    let watcher = WATCHERS.lock().unwrap()[ctx.instance_id()].clone();
    watcher.send(run).map_err(|_| "nobody watches")?;
    Ok(ended.await?)
}

#[orchestration_trigger(crate = crate)]
async fn at_a_word(ctx: OrchestrationContext) -> Result<u32> {
    ctx.wait_for_external_event::<u32>("go").await?;
    Ok(ctx.call_activity::<visible>(()).await?)
}

#[orchestration_trigger(crate = crate)]
async fn at_once(ctx: OrchestrationContext) -> Result<u32> {
    Ok(ctx.call_activity::<visible>(()).await?)
}

fn hub(journal: &Held, speculative: bool) -> Hub {
    let settings = Settings {
        speculative,
        ..Settings::default()
    };
    hub_with(Arc::new(journal.clone()), settings)
}

/// The instance waits for the word, and what it does then is held up before it is acknowledged.
async fn held_turn(journal: &Held, hub: &Hub, id: &'static str, refuse: bool) {
    let client = hub.client();
    let start = client.start_new::<at_a_word>(());
    start.with_instance_id(id).await.unwrap();
    if refuse {
        journal.hold_and_refuse_turns();
        client.raise_event(id, "go", 1).await.unwrap();
    } else {
        journal.hold();
        let raise = tokio::spawn(client.raise_event(id, "go", 1));
        journal.written.notified().await;
        // The message is stored; it arrives, and the next change is the turn that takes it.
        journal.release_and_hold();
        raise.await.unwrap().unwrap();
    }
    journal.written.notified().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_start_of_an_activity_is_early() {
    let (folder, id) = (tempfile::tempdir().unwrap(), "early");
    let journal = Held::of(&folder);
    let hub = hub(&journal, true);
    let mut runs = watch(id);
    held_turn(&journal, &hub, id, false).await;
    // Nobody has been told that the turn is stored, and the activity runs.
    let run = runs.recv().await.unwrap();
    let before = hub.client().get_status(id).await.unwrap().unwrap();
    run.end.send(7).unwrap();
    // Its slot is free again once its result has been handed on.
    while hub.engine.activities.running() > 0 {
        tokio::task::yield_now().await;
    }
    let cell = hub.engine.cells.get(id).unwrap();
    assert!(
        cell.lock().mailbox.is_empty(),
        "the result was taken in early"
    );
    let waiting = hub.client().get_status(id).await.unwrap().unwrap();
    assert_eq!(waiting.last_updated_time, before.last_updated_time);
    journal.release();
    let end = hub
        .client()
        .wait_for_completion(id, PATIENCE)
        .await
        .unwrap();
    assert_eq!(end.output, Some(json!(7)));
    let turns = hub.client().events(id).await.unwrap().unwrap();
    let turn_of =
        |is: fn(&HistoryEvent) -> bool| turns.iter().position(|turn| turn.iter().any(is)).unwrap();
    let asked = turn_of(|event| matches!(event, HistoryEvent::TaskScheduled { .. }));
    let answered = turn_of(|event| matches!(event, HistoryEvent::TaskCompleted { .. }));
    assert!(asked < answered, "{turns:?}");
    assert!(runs.try_recv().is_err(), "it ran once");
    hub.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_setting_no_activity_is_early() {
    let (folder, id) = (tempfile::tempdir().unwrap(), "punctual");
    let journal = Held::of(&folder);
    let hub = hub(&journal, false);
    let mut runs = watch(id);
    held_turn(&journal, &hub, id, false).await;
    let cell = hub.engine.cells.get(id).unwrap();
    assert!(cell.lock().running.is_empty());
    assert!(runs.try_recv().is_err());
    journal.release();
    runs.recv().await.unwrap().end.send(7).unwrap();
    let end = hub
        .client()
        .wait_for_completion(id, PATIENCE)
        .await
        .unwrap();
    assert_eq!(end.output, Some(json!(7)));
    hub.shutdown().await;
}

/// The turn is refused: its activity is told to stop, what it returns is dropped, and the turn that is made instead runs its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_refused_turn_started_does_not_count() {
    for early in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let id = if early {
            "refused, ended"
        } else {
            "refused, running"
        };
        let journal = Held::of(&folder);
        let hub = hub(&journal, true);
        let mut runs = watch(id);
        held_turn(&journal, &hub, id, true).await;
        let void = runs.recv().await.unwrap();
        // It ends before the turn is refused, or after.
        let mut end = Some(void.end);
        if early {
            end.take().unwrap().send(1).unwrap();
            while hub.engine.activities.running() > 0 {
                tokio::task::yield_now().await;
            }
        }
        journal.release();
        let valid = runs.recv().await.unwrap();
        assert!(void.token.is_cancelled());
        assert!(!valid.token.is_cancelled());
        assert_eq!(void.key, valid.key);
        if let Some(end) = end {
            end.send(1).unwrap();
        }
        valid.end.send(2).unwrap();
        let end = hub
            .client()
            .wait_for_completion(id, PATIENCE)
            .await
            .unwrap();
        assert_eq!(end.output, Some(json!(2)), "early: {early}");
        assert!(runs.try_recv().is_err());
        hub.shutdown().await;
    }
}

/// Whether an id is free is for the store to say: nothing runs for a start that it may refuse.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_turn_of_a_start_is_never_ahead() {
    let (folder, id) = (tempfile::tempdir().unwrap(), "begins");
    let journal = Held::of(&folder);
    let hub = hub(&journal, true);
    let mut runs = watch(id);
    journal.hold();
    let start = hub.client().start_new::<at_once>(()).with_instance_id(id);
    let start = tokio::spawn(start);
    journal.written.notified().await;
    assert!(runs.try_recv().is_err());
    assert_eq!(hub.engine.activities.running(), 0);
    journal.release();
    start.await.unwrap().unwrap();
    runs.recv().await.unwrap().end.send(3).unwrap();
    let end = hub
        .client()
        .wait_for_completion(id, PATIENCE)
        .await
        .unwrap();
    assert_eq!(end.output, Some(json!(3)));
    hub.shutdown().await;
}
