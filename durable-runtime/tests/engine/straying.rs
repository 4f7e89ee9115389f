//! Code that changed under its instances, or is gone: what a host does with them, and the next one that has the right code.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use durable_runtime::__private::{
    ActivityInvocation, ActivityRun, ActivitySpec, Error, Kind, OrchestratorSpec, Payload,
    Registration,
};
use durable_runtime::hub::{Hub, Nondeterminism, Options, Settings};
use durable_runtime::model::HistoryEvent;
use durable_runtime::{
    DurableClient, OrchestrationContext, OrchestrationStatus, Registry, RuntimeStatus, States,
};
use futures::future::{BoxFuture, FutureExt};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::host::{PATIENCE, open_store};
use crate::log;

type Run = fn(OrchestrationContext) -> BoxFuture<'static, Result<Payload, Error>>;

const fn orchestrator(name: &'static str, run: Run) -> Registration {
    let spec = OrchestratorSpec { version: None, run };
    registration(name, Kind::Orchestrator(spec))
}

const fn registration(name: &'static str, kind: Kind) -> Registration {
    Registration {
        name,
        module: module_path!(),
        file: file!(),
        line: line!(),
        kind,
    }
}

const fn activity(name: &'static str, run: ActivityRun) -> Registration {
    let spec = ActivitySpec {
        timeout: None,
        max_concurrency: None,
        rate: None,
        states: &[],
        run,
    };
    registration(name, Kind::Activity(spec))
}

/// Two steps with an event between them.
fn order(ctx: OrchestrationContext) -> BoxFuture<'static, Result<Payload, Error>> {
    async move {
        let first: u64 = ctx.call_activity_by_name("charge", 1).await?;
        let more: u64 = ctx.wait_for_external_event("more").await?;
        let last: u64 = ctx.call_activity_by_name("charge", 2).await?;
        Ok(Payload::of(&(first + more + last))?)
    }
    .boxed()
}

/// What somebody made of it.
fn order_changed(ctx: OrchestrationContext) -> BoxFuture<'static, Result<Payload, Error>> {
    async move {
        ctx.create_timer(Duration::from_secs(3600)).await;
        Ok(Payload::null())
    }
    .boxed()
}

/// What somebody else made of it: it waits for what nobody can repeat.
fn order_that_listens(ctx: OrchestrationContext) -> BoxFuture<'static, Result<Payload, Error>> {
    async move {
        ctx.call_activity_by_name::<u64>("charge", 1).await?;
        std::future::pending().await
    }
    .boxed()
}

static BEGUN: Semaphore = Semaphore::const_new(0);

fn charge(invocation: ActivityInvocation) -> Result<Payload, Error> {
    let n: u64 = invocation.input()?;
    Ok(Payload::of(&(n * 10))?)
}

static SLOW: Semaphore = Semaphore::const_new(0);
static SLOW_RUNS: AtomicU32 = AtomicU32::new(0);

/// Ends when it is let.
fn charge_slowly(invocation: ActivityInvocation) -> BoxFuture<'static, Result<Payload, Error>> {
    async move {
        SLOW_RUNS.fetch_add(1, Ordering::SeqCst);
        BEGUN.add_permits(1);
        SLOW.acquire().await?.forget();
        charge(invocation)
    }
    .boxed()
}

const CHARGE: Registration = activity("charge", ActivityRun::Blocking(charge));
const CHARGE_SLOWLY: Registration = activity("charge", ActivityRun::Async(charge_slowly));
const ORDER: Registration = orchestrator("order", order);
const CHANGED: Registration = orchestrator("order", order_changed);
const LISTENS: Registration = orchestrator("order", order_that_listens);

/// A host with these functions.
struct Site {
    hub: Hub,
    client: DurableClient,
}

impl Site {
    fn open(folder: &Path, functions: &[Registration], adjust: impl FnOnce(&mut Settings)) -> Self {
        let client = DurableClient::unbound();
        let mut settings = Settings::default();
        adjust(&mut settings);
        let options = Options {
            registry: Registry::of(functions.iter()).unwrap(),
            states: Arc::new(States::default()),
            store: Arc::new(open_store(folder)),
            settings,
        };
        let hub = Hub::start(options, &client).unwrap();
        Self { hub, client }
    }

    async fn close(self) {
        self.hub.shutdown().await;
    }

    /// Waits for a status that comes by itself.
    async fn until(&self, id: &str, status: RuntimeStatus) -> OrchestrationStatus {
        let seen = async {
            loop {
                let now = self.client.get_status(id).await.unwrap().unwrap();
                if now.runtime_status == status {
                    return now;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, seen).await.unwrap()
    }

    async fn end(&self, id: &str) -> OrchestrationStatus {
        let end = self.client.wait_for_completion(id, PATIENCE);
        end.await.unwrap()
    }

    /// Waits until so many events of that kind are recorded.
    async fn recorded(&self, id: &str, kind: &str, count: usize) -> Vec<HistoryEvent> {
        let seen = async {
            loop {
                let turns = self.client.events(id).await.unwrap().unwrap();
                let events: Vec<_> = turns.into_iter().flatten().collect();
                if events.iter().filter(|event| event.kind() == kind).count() >= count {
                    return events;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, seen).await.unwrap()
    }

    async fn unrunnable(&self, id: &str) -> String {
        let pending = self.client.pending_work(id).await.unwrap().unwrap();
        pending.unrunnable.unwrap()
    }
}

fn suspends(settings: &mut Settings) {
    settings.nondeterminism = Nondeterminism::Suspend;
}

/// An order that waits for its event, its host gone.
async fn begun(folder: &Path, functions: &[Registration]) -> String {
    let site = Site::open(folder, functions, |_| ());
    let id = site.client.start_new_by_name("order", ()).await.unwrap();
    site.recorded(&id, "TaskCompleted", 1).await;
    site.close().await;
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changed_code_fails_an_instance_unless_the_host_is_told_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let id = begun(folder.path(), &[ORDER, CHARGE]).await;
    let site = Site::open(folder.path(), &[CHANGED, CHARGE], |_| ());
    site.client.raise_event(&id, "more", 5).await.unwrap();
    let end = site.end(&id).await;
    assert_eq!(end.runtime_status, RuntimeStatus::Failed);
    let failure = end.failure.unwrap();
    assert_eq!(failure.error_type, "NonDeterminismError");
    assert!(failure.message.contains("straying.rs:"), "{failure:?}");
    site.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspended_stray_keeps_what_comes_and_goes_on_under_code_that_fits() {
    log::capture();
    let folder = tempfile::tempdir().unwrap();
    let id = begun(folder.path(), &[ORDER, CHARGE]).await;
    let wrong = Site::open(folder.path(), &[CHANGED, CHARGE], suspends);
    wrong.client.raise_event(&id, "more", 5).await.unwrap();
    wrong.until(&id, RuntimeStatus::Suspended).await;
    let why = wrong.unrunnable(&id).await;
    assert!(
        why.contains("records #0 TaskScheduled of the activity `charge`"),
        "{why}"
    );
    assert!(why.contains("asks for #0 TimerCreated"), "{why}");
    assert_eq!(
        log::lines(&[&id, "the instance is suspended", "TimerCreated"]).len(),
        1
    );
    let events = wrong.client.events(&id).await.unwrap().unwrap();
    let said = events
        .iter()
        .flatten()
        .rfind(|event| event.kind() == "ExecutionSuspended");
    assert_eq!(
        said,
        Some(&HistoryEvent::ExecutionSuspended { reason: Some(why) })
    );
    // Nobody has mended it yet.
    wrong.client.resume(&id, "too early").await.unwrap();
    wrong.recorded(&id, "ExecutionSuspended", 2).await;
    wrong.until(&id, RuntimeStatus::Suspended).await;
    wrong.close().await;
    let right = Site::open(folder.path(), &[ORDER, CHARGE], suspends);
    let pending = right.client.pending_work(&id).await.unwrap().unwrap();
    assert!(
        pending.suspended && pending.unrunnable.is_none(),
        "{pending:?}"
    );
    right.client.resume(&id, "mended").await.unwrap();
    let end = right.end(&id).await;
    assert_eq!(end.output, Some(json!(35)), "{end:?}");
    right.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_waits_for_nothing_durable_goes_on_under_a_fixed_build() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = Site::open(folder.path(), &[LISTENS, CHARGE], suspends);
    let id = wrong.client.start_new_by_name("order", ()).await.unwrap();
    wrong.until(&id, RuntimeStatus::Suspended).await;
    let why = wrong.unrunnable(&id).await;
    assert!(
        why.contains("after its last durable call, #0, the activity `charge`"),
        "{why}"
    );
    wrong.client.raise_event(&id, "more", 5).await.unwrap();
    wrong.recorded(&id, "EventRaised", 1).await;
    wrong.close().await;
    let right = Site::open(folder.path(), &[ORDER, CHARGE], suspends);
    right.client.resume(&id, "mended").await.unwrap();
    let end = right.end(&id).await;
    assert_eq!(end.output, Some(json!(35)), "{end:?}");
    right.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspended_stray_can_be_terminated() {
    let folder = tempfile::tempdir().unwrap();
    let id = begun(folder.path(), &[ORDER, CHARGE]).await;
    let site = Site::open(folder.path(), &[CHANGED, CHARGE], suspends);
    site.client.raise_event(&id, "more", 5).await.unwrap();
    site.until(&id, RuntimeStatus::Suspended).await;
    site.client.terminate(&id, "no use").await.unwrap();
    let end = site.end(&id).await;
    assert_eq!(end.runtime_status, RuntimeStatus::Terminated);
    assert_eq!(end.output, Some(json!("no use")));
    site.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_whose_function_is_gone_can_be_told_what_any_other_can() {
    for disabled in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let id = begun(folder.path(), &[ORDER, CHARGE]).await;
        let ended = begun_beside(folder.path()).await;
        let functions: &[Registration] = if disabled {
            &[ORDER, CHARGE]
        } else {
            &[CHARGE]
        };
        let mut registry = Registry::of(functions.iter()).unwrap();
        if disabled {
            registry = registry.disabled_by(|name| {
                (name == "AzureWebJobs.order.Disabled").then(|| "true".to_owned())
            });
        }
        let client = DurableClient::unbound();
        let options = Options {
            registry,
            states: Arc::new(States::default()),
            store: Arc::new(open_store(folder.path())),
            settings: Settings::default(),
        };
        let hub = Hub::start(options, &client).unwrap();
        let site = Site { hub, client };
        site.client.raise_event(&id, "more", 5).await.unwrap();
        site.client.suspend(&id, "wait").await.unwrap();
        site.until(&id, RuntimeStatus::Suspended).await;
        assert!(site.unrunnable(&id).await.contains("`order`"));
        site.client.resume(&id, "go").await.unwrap();
        site.until(&id, RuntimeStatus::Running).await;
        site.client.suspend(&id, "wait").await.unwrap();
        site.until(&id, RuntimeStatus::Suspended).await;
        site.client.terminate(&ended, "no use").await.unwrap();
        let end = site.end(&ended).await;
        assert_eq!(end.runtime_status, RuntimeStatus::Terminated);
        site.close().await;
        // Its function is back, and it is where it was left, with what came meanwhile.
        let site = Site::open(folder.path(), &[ORDER, CHARGE], |_| ());
        site.until(&id, RuntimeStatus::Suspended).await;
        site.client.resume(&id, "go").await.unwrap();
        let end = site.end(&id).await;
        assert_eq!(end.output, Some(json!(35)), "{end:?}");
        site.close().await;
    }
}

async fn begun_beside(folder: &Path) -> String {
    begun(folder, &[ORDER, CHARGE]).await
}

/// Calls, and goes on with something else before it wants the result.
fn split_order(ctx: OrchestrationContext) -> BoxFuture<'static, Result<Payload, Error>> {
    async move {
        let first = ctx.call_activity_by_name::<u64>("charge", 1);
        let more: u64 = ctx.wait_for_external_event("more").await?;
        Ok(Payload::of(&(first.await? + more))?)
    }
    .boxed()
}

fn split_order_that_listens(
    ctx: OrchestrationContext,
) -> BoxFuture<'static, Result<Payload, Error>> {
    async move {
        let _first = ctx.call_activity_by_name::<u64>("charge", 1);
        ctx.wait_for_external_event::<u64>("more").await?;
        std::future::pending().await
    }
    .boxed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_result_of_an_activity_that_outlives_its_code_counts_once() {
    for idle in [Duration::ZERO, PATIENCE] {
        let folder = tempfile::tempdir().unwrap();
        let functions = [
            orchestrator("order", split_order_that_listens),
            CHARGE_SLOWLY,
        ];
        let wrong = Site::open(folder.path(), &functions, |settings| {
            suspends(settings);
            settings.idle_timeout = idle;
        });
        let before = SLOW_RUNS.load(Ordering::SeqCst);
        let id = wrong.client.start_new_by_name("order", ()).await.unwrap();
        BEGUN.acquire().await.unwrap().forget();
        wrong.client.raise_event(&id, "more", 5).await.unwrap();
        wrong.until(&id, RuntimeStatus::Suspended).await;
        SLOW.add_permits(1);
        wrong.recorded(&id, "TaskCompleted", 1).await;
        wrong.close().await;
        let functions = [orchestrator("order", split_order), CHARGE_SLOWLY];
        let right = Site::open(folder.path(), &functions, |_| ());
        right.client.resume(&id, "mended").await.unwrap();
        let end = right.end(&id).await;
        assert_eq!(end.output, Some(json!(15)), "{end:?}");
        assert_eq!(SLOW_RUNS.load(Ordering::SeqCst), before + 1);
        right.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_activity_that_ends_while_its_instance_is_suspended_does_not_run_again_on_the_next_host()
{
    let folder = tempfile::tempdir().unwrap();
    let functions = [
        orchestrator("order", split_order),
        activity("charge", ActivityRun::Async(charge_gated)),
    ];
    let site = Site::open(folder.path(), &functions, |_| ());
    let id = site.client.start_new_by_name("order", ()).await.unwrap();
    site.client.suspend(&id, "wait").await.unwrap();
    site.until(&id, RuntimeStatus::Suspended).await;
    GATE.add_permits(1);
    site.recorded(&id, "TaskCompleted", 1).await;
    site.close().await;
    let site = Site::open(folder.path(), &functions, |_| ());
    site.client.raise_event(&id, "more", 5).await.unwrap();
    site.client.resume(&id, "go").await.unwrap();
    let end = site.end(&id).await;
    assert_eq!(end.output, Some(json!(15)));
    assert_eq!(GATED_RUNS.load(Ordering::SeqCst), 1);
    site.close().await;
}

static GATE: Semaphore = Semaphore::const_new(0);
static GATED_RUNS: AtomicU32 = AtomicU32::new(0);

fn charge_gated(invocation: ActivityInvocation) -> BoxFuture<'static, Result<Payload, Error>> {
    async move {
        if GATED_RUNS.fetch_add(1, Ordering::SeqCst) == 0 {
            GATE.acquire().await?.forget();
        }
        charge(invocation)
    }
    .boxed()
}
