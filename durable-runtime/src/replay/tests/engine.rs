//! Random programs on the whole engine: what a finished instance's history says came in, the model turns into what it says went out.

use std::sync::Arc;
use std::time::Duration;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::json;

use super::compare::{asked_of, model_of};
use super::interpret::{ORCHESTRATOR, registry};
use super::legal;
use super::model::{End, Model};
use super::program::{EVENTS, Program, programs};
use super::properties::seed;
use crate::hub::{Hub, Options, Settings};
use crate::model::HistoryEvent as H;
use crate::store::sqlite::{Options as SqliteOptions, SqliteStore};
use crate::{DurableClient, OrchestrationStatus, RuntimeStatus, States};

const COUNT: usize = 60;
const PATIENCE: Duration = Duration::from_secs(60);

fn hub(folder: &tempfile::TempDir, idle_timeout: Duration) -> Hub {
    let store = SqliteStore::open(SqliteOptions::new(folder.path().join("hub.db"))).unwrap();
    let options = Options {
        registry: registry(),
        states: Arc::new(States::default()),
        store: Arc::new(store),
        settings: Settings {
            idle_timeout,
            ..Settings::default()
        },
    };
    Hub::start(options, &DurableClient::unbound()).unwrap()
}

async fn check(idle_timeout: Duration) {
    let seed = seed();
    println!("PROGRAMS_SEED={seed}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let folder = tempfile::tempdir().unwrap();
    let hub = hub(&folder, idle_timeout);
    let client = hub.client();
    let mut ids = Vec::new();
    for n in 0..COUNT {
        let mut program = programs().new_tree(&mut runner).unwrap().current();
        program.second = 1_000;
        let start = client.start_new_by_name(ORCHESTRATOR, program);
        ids.push(start.with_instance_id(format!("p{n}")).await.unwrap());
    }
    for status in finish(&client, ids).await {
        let turns = client.events(&status.instance_id).await.unwrap().unwrap();
        if let Err(fault) = verify(&status, &turns) {
            panic!("PROGRAMS_SEED={seed}: {fault}\n{status:?}\n{turns:?}");
        }
    }
    hub.shutdown().await;
}

/// Raises events, halts and resumes until all have ended.
async fn finish(client: &DurableClient, mut open: Vec<String>) -> Vec<OrchestrationStatus> {
    let (mut ended, mut sweep) = (Vec::new(), 0);
    let began = std::time::Instant::now();
    while !open.is_empty() {
        if began.elapsed() > PATIENCE {
            let history = client.events(&open[0]).await;
            let status = client.get_status(&open[0]).await;
            panic!("{open:?} never end: {status:?}\n{history:?}");
        }
        sweep += 1;
        for (index, id) in std::mem::take(&mut open).into_iter().enumerate() {
            let status = client.get_status(&id).await.unwrap().unwrap();
            if status.is_terminal() {
                ended.push(status);
                continue;
            }
            let round = sweep + index;
            // Each may come too late: that is an error of the caller's, and no matter here.
            if round % 5 == 0 {
                drop(client.suspend(&id, "wait").await);
            }
            let name = EVENTS[round % EVENTS.len()];
            drop(client.raise_event(&id, name, json!(round)).await);
            if status.runtime_status == RuntimeStatus::Suspended || round % 2 == 0 {
                drop(client.resume(&id, "go").await);
            }
            open.push(id);
        }
    }
    ended
}

fn verify(status: &OrchestrationStatus, turns: &[Vec<H>]) -> Result<(), String> {
    legal::check(turns)?;
    let input = status.input.clone().unwrap_or_default();
    let program: Program = serde_json::from_value(input).map_err(|e| e.to_string())?;
    let mut model = Model::new(program, &status.instance_id, &status.execution_id);
    let mut end = None;
    for turn in turns {
        let Some(H::OrchestratorStarted { at }) = turn.first() else {
            return Err("a turn without a clock".to_owned());
        };
        let inbound: Vec<_> = turn.iter().filter_map(model_of).collect();
        let expected = model.turn(at.micros(), inbound.clone());
        if expected.taken != inbound {
            return Err(format!("the model takes {:?} in {turn:?}", expected.taken));
        }
        let asked: Vec<_> = turn.iter().filter_map(asked_of).collect();
        let without_attempts = |text: String| match text.split_once(" attempt") {
            Some((text, _)) => text.to_owned(),
            None => text,
        };
        let model_asked = expected.asked.into_iter();
        let model_asked: Vec<_> = model_asked
            .map(|(id, text)| (id, without_attempts(text)))
            .collect();
        if model_asked != asked {
            return Err(format!("the model asks for {model_asked:?} in {turn:?}"));
        }
        end = expected.end;
    }
    let found = match status.runtime_status {
        RuntimeStatus::Completed => End::Completed(status.output_as().map_err(|e| e.to_string())?),
        _ => End::Failed(
            status
                .failure
                .as_ref()
                .map(|failure| failure.message.clone())
                .unwrap_or_default(),
        ),
    };
    if end.as_ref() == Some(&found) {
        return Ok(());
    }
    Err(format!("the model ends with {end:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_programs_on_a_hub_that_keeps_them_in_memory() {
    check(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_programs_on_a_hub_that_loads_them_for_every_turn() {
    check(Duration::ZERO).await;
}
