//! Random programs on the whole engine: what a finished instance's history says came in, the model turns into what it says went out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::json;

use super::compare::{asked_of, model_of, reason};
use super::interpret::{ORCHESTRATOR, disturbed_registry, registry};
use super::legal;
use super::model::{End, Model};
use super::program::{Call, EVENTS, Expr, OTHER, Program, Race, programs};
use super::properties::seed;
use crate::durable_http::{
    DurableHttpResponse, HttpAnswer, HttpDelivery, HttpExecutor, HttpFailure, HttpSettings,
};
use crate::hub::{Hub, Options, Settings};
use crate::model::{FailureDetails, HistoryEvent as H};
use crate::registry::Registry;
use crate::store::sqlite::{Options as SqliteOptions, SqliteStore};
use crate::{DurableClient, EntityQuery, OrchestrationStatus, RuntimeStatus, States};

const COUNT: usize = 60;
const PATIENCE: Duration = Duration::from_secs(60);

/// Answers by the task's id: some are done at once, some elsewhere and later, some never.
struct Server;

impl HttpExecutor for Server {
    fn execute(&self, delivery: HttpDelivery) -> BoxFuture<'_, Result<HttpAnswer, FailureDetails>> {
        let id = delivery.context.task_id();
        let answer = match id % 5 {
            1 => Ok(DurableHttpResponse::new(500)),
            2 => {
                let server = if id % 2 == 0 { OTHER } else { "" };
                Ok(DurableHttpResponse::new(202)
                    .with_header("Location", format!("{server}/status/{id}"))
                    .with_header("Retry-After", "0"))
            }
            3 => Err(HttpFailure::Connect.details("nobody there")),
            _ => Ok(DurableHttpResponse::new(200)),
        };
        let answer = answer.map(|answer| HttpAnswer::new(answer.with_text(id.to_string())));
        async move { answer }.boxed()
    }
}

fn hub(folder: &tempfile::TempDir, idle_timeout: Duration, registry: Arc<Registry>) -> Hub {
    let store = SqliteStore::open(SqliteOptions::new(folder.path().join("hub.db"))).unwrap();
    let options = Options {
        registry,
        states: Arc::new(States::default()),
        store: Arc::new(store),
        settings: Settings {
            idle_timeout,
            http: HttpSettings {
                executor: Some(Arc::new(Server)),
                ..HttpSettings::default()
            },
            ..Settings::default()
        },
    };
    Hub::start(options, &DurableClient::unbound()).unwrap()
}

async fn check(idle_timeout: Duration) {
    let (seed, all) = played(idle_timeout, COUNT, registry()).await;
    for (status, turns) in all {
        if let Err(fault) = verify(&status, &turns) {
            panic!("PROGRAMS_SEED={seed}: {fault}\n{status:?}\n{turns:?}");
        }
    }
}

/// An instance that has ended.
type Ended = (OrchestrationStatus, Vec<Vec<H>>);

/// Programs that were played to their ends, and their seed.
async fn played(
    idle_timeout: Duration,
    count: usize,
    registry: Arc<Registry>,
) -> (u64, Vec<Ended>) {
    let seed = seed();
    println!("PROGRAMS_SEED={seed}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let folder = tempfile::tempdir().unwrap();
    let hub = hub(&folder, idle_timeout, registry);
    let client = hub.client();
    let mut ids = Vec::new();
    for n in 0..count {
        let mut program = programs().new_tree(&mut runner).unwrap().current();
        program.second = 1_000;
        program.parts.iter_mut().for_each(without_idle_locks);
        // In the last generation: histories of earlier ones are gone when somebody looks.
        let last = program.parts.pop().into_iter();
        let last = std::iter::once(meeting(n)).chain(last);
        program.parts.push(Expr::Seq(last.collect()));
        let start = client.start_new_by_name(ORCHESTRATOR, program);
        ids.push(start.with_instance_id(format!("p{n}")).await.unwrap());
    }
    let mut all = Vec::new();
    for status in finish(&client, ids).await {
        let turns = client.events(&status.instance_id).await.unwrap().unwrap();
        all.push((status, turns));
    }
    hub.shutdown().await;
    (seed, all)
}

/// A section that others ask for at the same time, so that they get into each other's way.
fn meeting(n: usize) -> Expr {
    let keys = [n % 3, n / 3 % 3].map(|key| u8::try_from(key).unwrap());
    let calls = Expr::Await(Call::Entity(keys[0]));
    let section = Expr::Lock(keys.to_vec(), Box::new(Expr::Repeat(4, Box::new(calls))));
    Expr::Catch(Box::new(section))
}

/// A lock that is granted to a future which nobody polls is held while the program waits for something else, and two programs that do so may
/// wait for each other for ever. So losers that may lock are dropped, not kept for later.
fn without_idle_locks(expr: &mut Expr) {
    if let Expr::Race(kind @ Race::Keep, all) = expr
        && all.iter().any(locks)
    {
        *kind = Race::Any;
    }
    parts_mut(expr).iter_mut().for_each(without_idle_locks);
}

fn locks(expr: &Expr) -> bool {
    matches!(expr, Expr::Lock(..)) || parts(expr).iter().any(locks)
}

fn parts(expr: &Expr) -> &[Expr] {
    match expr {
        Expr::Seq(all) | Expr::Join(_, all) | Expr::Race(_, all) => all,
        Expr::Repeat(_, of) | Expr::Catch(of) | Expr::Held(_, of) | Expr::Lock(_, of) => {
            std::slice::from_ref(of)
        }
        _ => &[],
    }
}

fn parts_mut(expr: &mut Expr) -> &mut [Expr] {
    match expr {
        Expr::Seq(all) | Expr::Join(_, all) | Expr::Race(_, all) => all,
        Expr::Repeat(_, of) | Expr::Catch(of) | Expr::Held(_, of) | Expr::Lock(_, of) => {
            std::slice::from_mut(of)
        }
        _ => &mut [],
    }
}

/// Raises events, halts and resumes until all have ended.
async fn finish(client: &DurableClient, mut open: Vec<String>) -> Vec<OrchestrationStatus> {
    let (mut ended, mut sweep) = (Vec::new(), 0);
    let began = std::time::Instant::now();
    while !open.is_empty() {
        if began.elapsed() > PATIENCE {
            let history = client.events(&open[0]).await;
            let status = client.get_status(&open[0]).await;
            let mut waits = Vec::new();
            for id in &open {
                waits.push((id, client.pending_work(id).await));
            }
            let entities = client.list_entities(EntityQuery::default()).await;
            panic!("{open:?} never end: {status:?}\n{history:?}\n{waits:?}\n{entities:?}");
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
    undisturbed(turns)?;
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
        _ => End::Failed(status.failure.as_ref().map(reason).unwrap_or_default()),
    };
    if end.as_ref() == Some(&found) {
        return Ok(());
    }
    Err(format!("the model ends with {end:?}"))
}

/// Nobody else's operations run on an entity between two of the one who has it locked: each counts.
fn undisturbed(turns: &[Vec<H>]) -> Result<(), String> {
    let (mut calls, mut counts) = (BTreeMap::new(), BTreeMap::new());
    for event in turns.iter().flatten() {
        match event {
            H::EntityOperationCalled {
                id,
                entity,
                section: Some(section),
                ..
            } => drop(calls.insert(*id, (*section, Arc::clone(entity)))),
            H::EntityOperationCompleted { id, result } => {
                let count: u64 = result.read().map_err(|e| e.to_string())?;
                let Some(under) = calls.remove(id) else {
                    continue;
                };
                if let Some(last) = counts.insert(under.clone(), count)
                    && last + 1 != count
                {
                    return Err(format!("{count} follows {last} under {under:?}"));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_programs_on_a_hub_that_keeps_them_in_memory() {
    check(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_programs_on_a_hub_that_loads_them_for_every_turn() {
    check(Duration::ZERO).await;
}

/// How many programs are enough for a fault to be noticed: each begins with calls under locks.
const FEW: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operations_of_others_between_those_of_a_section_are_noticed() {
    let (seed, all) = played(PATIENCE, FEW, disturbed_registry()).await;
    let noticed =
        |(_, turns): &Ended| undisturbed(turns).is_err_and(|text| text.contains("follows"));
    assert!(all.iter().any(noticed), "PROGRAMS_SEED={seed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_model_would_do_is_noticed() {
    let (seed, all) = played(PATIENCE, FEW, registry()).await;
    let says = |(status, turns): &Ended, text: &str| {
        let outcome = verify(status, turns);
        let fault = outcome.unwrap_err();
        assert!(fault.contains(text), "PROGRAMS_SEED={seed}: {fault}");
    };
    let mut lost = 0;
    for ended in all {
        let (mut status, turns) = ended.clone();
        status.output = Some(json!("something else"));
        status.failure = Some(FailureDetails::new("E", "something else"));
        says(&(status, turns), "the model ends with");

        let (status, mut turns) = ended.clone();
        let is_lock = |event: &H| {
            let (asked, granted) = (
                matches!(event, H::EntityLockRequested { .. }),
                matches!(event, H::EntityLockGranted { .. }),
            );
            asked || granted
        };
        // A program may fail in an earlier generation than the one that locks.
        if !turns.iter().flatten().any(is_lock) {
            continue;
        }
        lost += 1;
        for turn in &mut turns {
            turn.retain(|event| !is_lock(event));
        }
        assert!(verify(&status, &turns).is_err(), "PROGRAMS_SEED={seed}");
    }
    assert!(lost > 0, "PROGRAMS_SEED={seed}: nothing was locked");
}
