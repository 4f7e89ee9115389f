//! Activities that end at once run on the thread that takes their result: nobody may notice but by the time it takes.

use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use durable_macros::{activity_trigger, orchestration_trigger};
use durable_runtime::{OrchestrationContext, Result};
use tokio::sync::Notify;

use crate::functions::hello_cities;
use crate::host::{Host, Residency};

/// More than enough for a function to be known as quick, however busy the machine is.
const RUNS: u32 = 5_000;

static BLOCKED: Notify = Notify::const_new();
static RELEASE: Mutex<Option<Sender<()>>> = Mutex::new(None);

fn on_turn_thread() -> bool {
    thread::current().name() == Some("durable-turn")
}

/// Whether it ran on a thread of turns.
#[activity_trigger]
async fn where_am_i(then: String) -> bool {
    let here = on_turn_thread();
    match &*then {
        "block" => {
            let (sender, released) = channel();
            *RELEASE.lock().unwrap() = Some(sender);
            BLOCKED.notify_one();
            released.recv().unwrap();
        }
        "sleep" => {
            tokio::time::sleep(Duration::from_millis(1)).await;
            // What waits is the runtime's.
            return here && !on_turn_thread();
        }
        "panic" => panic!("as asked"),
        _ => {}
    }
    here
}

/// Has the function become quick, then has it do something else.
#[orchestration_trigger]
async fn quick_and_then(ctx: OrchestrationContext, then: String) -> Result<(bool, String)> {
    let mut quick = false;
    for _ in 0..RUNS {
        quick = ctx.call_activity::<where_am_i>("").await?;
        if quick {
            break;
        }
    }
    let outcome = match ctx.call_activity::<where_am_i>(then).await {
        Ok(here) => here.to_string(),
        Err(error) => error.to_string(),
    };
    Ok((quick, outcome))
}

async fn outcome(host: &Host, then: &str) -> (bool, String) {
    let start = host.client.start_new::<quick_and_then>(then.to_owned());
    let id = start.await.unwrap();
    host.end(&id).await.output_as().unwrap()
}

#[tokio::test]
async fn a_quick_activity_runs_where_its_result_is_taken() {
    let host = Host::new(Residency::Resident);
    assert!(outcome(&host, "").await.0);
    // The runtime is another thread than this one: the sleep needs it.
    let (quick, moved) = outcome(&host, "sleep").await;
    assert!(quick, "{moved}");
    let (quick, failure) = outcome(&host, "panic").await;
    assert!(quick && failure.contains("as asked"), "{failure}");
    host.hub.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_blocks_all_of_a_sudden_keeps_no_other_instance_waiting() {
    let host = Host::with(Residency::Resident, |settings| {
        settings.max_concurrent_orchestrations = 1;
    });
    let start = host.client.start_new::<quick_and_then>("block".to_owned());
    let blocked = start.await.unwrap();
    BLOCKED.notified().await;
    // The only thread of turns may be the blocked one: then a spare takes its place.
    let other = host.client.start_new::<hello_cities>(()).await.unwrap();
    host.end(&other).await;
    let release = RELEASE.lock().unwrap().take().unwrap();
    release.send(()).unwrap();
    host.end(&blocked).await;
    host.hub.shutdown().await;
}
