//! An activity, and a turn, that take their host down each time they run: they fail as poison, and what waited behind them does not.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use durable_functions::chrono::Utc;
use durable_functions::prelude::*;
use durable_functions::{Host, RuntimeStatus};

use crate::functions::{append, folder};

const DEADLY: &str = "deadly-one";
const FALLING: &str = "falling-one";
const KILLS: &str = "kills-an-entity";
const BEHIND: [&str; 3] = ["behind-1", "behind-2", "behind-3"];

#[activity_trigger]
async fn dies(ctx: ActivityContext) {
    append("deaths", &ctx.delivery().to_string()).unwrap();
    std::process::abort();
}

/// Takes long enough for whatever runs beside it to take the host down.
#[activity_trigger]
async fn survives(ctx: ActivityContext) -> u32 {
    tokio::time::sleep(Duration::from_millis(20)).await;
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

/// Goes down over its second turn, which an event makes.
#[orchestration_trigger]
async fn falls(ctx: OrchestrationContext) -> Result<()> {
    ctx.wait_for_external_event::<u32>("go").await?;
    append("falls", "").unwrap();
    std::process::abort();
}

/// Notes what it is told, and takes the host down when told so.
#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Frail {
    notes: Vec<u32>,
}

#[entity_trigger]
impl Frail {
    pub fn note(&mut self, line: u32) {
        self.notes.push(line);
    }

    pub fn notes(&self) -> Vec<u32> {
        self.notes.clone()
    }

    pub fn die(&mut self, how: String) {
        append("entity deaths", &how).unwrap();
        std::process::abort();
    }
}

/// All but the last call leaves in one turn, and so in one batch.
#[orchestration_trigger]
async fn kills_an_entity(ctx: OrchestrationContext) -> Result<String> {
    let (frail, beside) = (ctx.entity::<Frail>("one"), ctx.entity::<Frail>("beside"));
    (1..=3).for_each(|line| drop(beside.signal().note(line)));
    frail.signal().note(1);
    frail.signal().die("signalled".to_owned());
    frail.signal().note(2);
    let failure = match frail.die("called".to_owned()).await {
        Err(TaskError::Failed(failure)) => failure,
        other => return Ok(format!("{other:?}")),
    };
    frail.note(3).await?;
    Ok(format!("{}: {}", failure.error_type, failure.message))
}

/// The process that dies; the one that does not shuts its host down.
pub(crate) async fn run() {
    let host = open(&folder().unwrap()).start().await.unwrap();
    let client = host.client();
    match std::env::var("CRASH_POISON").unwrap().as_str() {
        "turn" => return fall(host).await,
        "entity" => return kill_an_entity(host).await,
        _ => {}
    }
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

/// The one that goes down, and others beside it whose turns are as good as any.
async fn fall(host: durable_functions::RunningHost) {
    let client = host.client();
    if client.get_status(FALLING).await.unwrap().is_none() {
        let start = client.start_new::<falls>(());
        start.with_instance_id(FALLING).await.unwrap();
        let later = Utc::now() + Duration::from_millis(1);
        for id in BEHIND {
            let start = client.start_new::<behind>(()).scheduled_at(later);
            start.with_instance_id(id).await.unwrap();
        }
        // It may be dead before it is answered.
        drop(client.raise_event(FALLING, "go", 7).await);
    }
    for id in [&[FALLING][..], &BEHIND[..]].concat() {
        let end = client.wait_for_completion(id, Duration::from_secs(30));
        end.await.unwrap();
    }
    host.shutdown().await.unwrap();
}

/// Waits until the orchestration is through with the entity.
async fn kill_an_entity(host: durable_functions::RunningHost) {
    let client = host.client();
    if client.get_status(KILLS).await.unwrap().is_none() {
        let start = client.start_new::<kills_an_entity>(());
        // It may be dead before it is answered.
        drop(start.with_instance_id(KILLS).await);
    }
    let end = client.wait_for_completion(KILLS, Duration::from_secs(30));
    end.await.unwrap();
    host.shutdown().await.unwrap();
}

fn open(folder: &Path) -> Host {
    let delay = "AzureFunctionsJobHost__extensions__durableTask__redeliveryDelay";
    let host = Host::new().without_http().with_script_root(folder);
    // Ten deliveries take three minutes otherwise.
    host.with_setting(delay, "00:00:00.001")
}

/// Starts the child again and again, until it lives.
fn until_it_lives(folder: &Path, what: &str) {
    let mut deaths = 0;
    loop {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "child", "--nocapture"]);
        command.env("CRASH_DIR", folder).env("CRASH_POISON", what);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        if command.status().unwrap().success() {
            return;
        }
        deaths += 1;
        assert!(deaths < 30, "it never becomes poison");
    }
}

#[test]
fn a_turn_that_takes_its_host_down_ten_times_is_poison() {
    let folder = tempfile::tempdir().unwrap();
    until_it_lives(folder.path(), "turn");
    let falls = std::fs::read_to_string(folder.path().join("falls")).unwrap();
    assert_eq!(falls.lines().count(), 10);
    verify_fallen(folder.path());
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn verify_fallen(folder: &Path) {
    let host = open(folder).start().await.unwrap();
    let client = host.client();
    let end = client.get_status(FALLING).await.unwrap().unwrap();
    assert_eq!(end.runtime_status, RuntimeStatus::Failed);
    let failure = end.failure.unwrap();
    assert_eq!(failure.error_type, "PoisonMessage");
    assert!(failure.message.contains("begun 10 times"), "{failure:?}");
    // What it was to take in is on record.
    let turns = client.events(FALLING).await.unwrap().unwrap();
    let kinds = turns.last().unwrap().iter().map(|event| event.kind());
    let expected = [
        "OrchestratorStarted",
        "EventRaised",
        "ExecutionCompleted",
        "OrchestratorCompleted",
    ];
    assert_eq!(kinds.collect::<Vec<_>>(), expected);
    for id in BEHIND {
        let end = client.get_status(id).await.unwrap().unwrap();
        assert_eq!(end.runtime_status, RuntimeStatus::Completed, "{end:?}");
    }
    host.shutdown().await.unwrap();
}

#[test]
fn an_operation_that_takes_its_host_down_ten_times_is_poison() {
    let folder = tempfile::tempdir().unwrap();
    until_it_lives(folder.path(), "entity");
    let deaths = std::fs::read_to_string(folder.path().join("entity deaths")).unwrap();
    let count = |how: &str| deaths.lines().filter(|line| *line == how).count();
    // One was found guilty, and the other no longer suspected: it had as many deliveries of its own.
    assert_eq!((count("signalled"), count("called")), (10, 10));
    verify_entity(folder.path());
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn verify_entity(folder: &Path) {
    let host = open(folder).start().await.unwrap();
    let client = host.client();
    let end = client.get_status(KILLS).await.unwrap().unwrap();
    assert_eq!(
        end.output,
        Some(json!(
            "PoisonMessage: the operation `die` was delivered 10 times and never ended: each time its host went down"
        ))
    );
    let frail = client.read_entity_state::<Frail>("one").await.unwrap();
    assert_eq!(frail.unwrap().notes, [1, 2, 3]);
    // Nobody hears of a signal that was dropped: it is on record.
    let id = EntityId::of::<Frail>("one").to_string();
    let record = client.get_status(id).await.unwrap().unwrap();
    assert_eq!(record.failure.unwrap().error_type, "PoisonMessage");
    let beside = client.read_entity_state::<Frail>("beside").await.unwrap();
    assert_eq!(beside.unwrap().notes, [1, 2, 3]);
    host.shutdown().await.unwrap();
}

#[test]
fn what_takes_its_host_down_ten_times_is_poison() {
    let folder = tempfile::tempdir().unwrap();
    until_it_lives(folder.path(), "activity");
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
        // Beside the deadly one it ran at most twice. Waiting ten deaths long is not counted.
        assert!(delivery <= 3, "it was counted while it waited: {delivery}");
    }
    host.shutdown().await.unwrap();
}
