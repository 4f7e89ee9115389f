//! An activity that takes its host down each time it runs: it fails as poison, and what waited behind it does not.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use durable_functions::prelude::*;
use durable_functions::{Host, RuntimeStatus};

use crate::functions::{append, folder};

const DEADLY: &str = "deadly-one";
const BEHIND: [&str; 3] = ["behind-1", "behind-2", "behind-3"];

#[activity_trigger]
async fn dies(ctx: ActivityContext) {
    append("deaths", &ctx.delivery().to_string()).unwrap();
    std::process::abort();
}

#[activity_trigger]
async fn survives(ctx: ActivityContext) -> u32 {
    ctx.delivery()
}

#[orchestration_trigger]
async fn deadly(ctx: OrchestrationContext) -> Result<String> {
    let failure = ctx.call_activity::<dies>(()).await;
    let text = match &failure {
        Err(TaskError::Failed(failure)) => failure.error_type.clone(),
        other => format!("{other:?}"),
    };
    Ok(text)
}

#[orchestration_trigger]
async fn behind(ctx: OrchestrationContext) -> Result<u32> {
    Ok(ctx.call_activity::<survives>(()).await?)
}

/// The process that dies; the one that does not shuts its host down.
pub(crate) async fn run() {
    let host = open(&folder().unwrap()).start().await.unwrap();
    let client = host.client();
    if client.get_status(DEADLY).await.unwrap().is_none() {
        let start = client.start_new::<deadly>(());
        let started = start.with_instance_id(DEADLY).await;
        // It may be dead before it is answered.
        started.unwrap();
    }
    for id in BEHIND {
        if client.get_status(id).await.unwrap().is_none() {
            let start = client.start_new::<behind>(());
            start.with_instance_id(id).await.unwrap();
        }
    }
    for id in [&[DEADLY][..], &BEHIND[..]].concat() {
        let end = client.wait_for_completion(id, Duration::from_secs(30));
        end.await.unwrap();
    }
    host.shutdown().await.unwrap();
}

fn open(folder: &Path) -> Host {
    Host::new().without_http().with_script_root(folder)
}

#[test]
fn what_takes_its_host_down_ten_times_is_poison() {
    let folder = tempfile::tempdir().unwrap();
    let settings = r#"{ "version": "2.0", "extensions": { "durableTask": { "maxConcurrentActivityFunctions": 1 } } }"#;
    std::fs::write(folder.path().join("host.json"), settings).unwrap();
    let mut deaths = 0;
    loop {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "child", "--nocapture"]);
        command.env("CRASH_DIR", folder.path());
        command.env("CRASH_POISON", "1");
        command.stdout(Stdio::null()).stderr(Stdio::null());
        if command.status().unwrap().success() {
            break;
        }
        deaths += 1;
        assert!(deaths < 20, "it never becomes poison");
    }
    let lines = std::fs::read_to_string(folder.path().join("deaths")).unwrap();
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines, ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]);
    verify(folder.path());
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn verify(folder: &Path) {
    let host = open(folder).start().await.unwrap();
    let client = host.client();
    let end = client.get_status(DEADLY).await.unwrap().unwrap();
    assert_eq!(end.output, Some(json!("PoisonMessage")));
    for id in BEHIND {
        let end = client.get_status(id).await.unwrap().unwrap();
        assert_eq!(end.runtime_status, RuntimeStatus::Completed, "{end:?}");
        let delivery: u32 = end.output_as().unwrap();
        // One that did begin just before its host died is counted; waiting ten deaths long is not.
        assert!(delivery < 10, "it was counted while it waited: {delivery}");
    }
    host.shutdown().await.unwrap();
}
