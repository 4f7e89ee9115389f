//! `cargo bench -p durable-runtime --bench store`: what the store takes. A step is a turn of one event row and one instance row;
//! `window` is how many steps are under way at once, which bounds how large a group can become.
//! Figures of one machine: `docs/schema.md`.

use std::io::Write;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use durable_runtime::model::{ExecutionStarted, Payload, RuntimeStatus, Timestamp};
use durable_runtime::store::sqlite::{Options, SqliteStore};
use durable_runtime::store::{
    Change, Error, InstanceKey, NewInstance, Receipt, Reuse, Store, TurnCommit,
};

/// About 200 bytes, as a turn of one activity's completion and the next one's start has.
const EVENTS: &str = r#"[{"OrchestratorStarted":{"at":1732435200000000}},{"TaskCompleted":{"id":4,"result":"Hello Tokyo!"}},{"TaskScheduled":{"id":5,"name":"say_hello","input":"Seattle"}},"OrchestratorCompleted"]"#;

/// Turns of an instance before it ends and another takes its place, unless it lives for ever.
const LIFE: i64 = 6;

fn main() -> anyhow::Result<()> {
    println!(
        "flush: {:.0} us (append of 8 KiB and fdatasync)",
        flush_time()?.as_secs_f64() * 1e6
    );
    for (what, life) in [
        ("instances of six turns, created and ended", LIFE),
        ("instances that live for ever", i64::MAX),
    ] {
        println!("{what}");
        println!(
            "{:>8} {:>10} {:>10} {:>9} {:>9} {:>12} {:>12}",
            "window", "steps/s", "flushes/s", "p50 us", "p99 us", "bytes/step", "steps/flush"
        );
        for (window, steps) in [(1, 10_000), (10, 60_000), (100, 150_000), (1000, 150_000)] {
            run(window, steps, life)?;
        }
    }
    starts(50_000)
}

/// What one flush costs on this disk, median.
fn flush_time() -> anyhow::Result<Duration> {
    let mut file = tempfile::tempfile()?;
    let mut times = Vec::new();
    for _ in 0..500 {
        let began = Instant::now();
        file.write_all(&[7; 8192])?;
        file.sync_data()?;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    Ok(times[250])
}

type Answer = (usize, Result<Receipt, Error>);

/// `window` instances take turns; each has one turn under way.
fn run(window: usize, steps: usize, life: i64) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let store = SqliteStore::open(Options::new(folder.path().join("hub.db")))?;
    let (tell, hear) = channel();
    let mut keys: Vec<_> = (0..window)
        .map(|_| InstanceKey(store.ids().next()))
        .collect();
    let (flushes, written, began) = (store.flushes(), written_bytes()?, Instant::now());
    let mut sequences = vec![0; window];
    let mut since = vec![began; window];
    let mut latencies = Vec::with_capacity(steps);
    for (number, key) in keys.iter().enumerate() {
        step(&store, *key, number, 0, life, &tell);
    }
    for begun in window..steps + window {
        let (number, result) = hear.recv()?;
        result?;
        latencies.push(since[number].elapsed());
        sequences[number] += 1;
        if sequences[number] == life {
            sequences[number] = 0;
            keys[number] = InstanceKey(store.ids().next());
        }
        if begun < steps {
            since[number] = Instant::now();
            step(&store, keys[number], number, sequences[number], life, &tell);
        }
    }
    let (took, flushes) = (
        began.elapsed().as_secs_f64(),
        (store.flushes() - flushes) as f64,
    );
    futures::executor::block_on(store.close());
    let bytes = written_bytes()? - written;
    latencies.sort_unstable();
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize].as_micros();
    let done = latencies.len() as f64;
    println!(
        "{window:>8} {:>10.0} {:>10.0} {:>9} {:>9} {:>12.0} {:>12.1}",
        done / took,
        flushes / took,
        at(0.5),
        at(0.99),
        bytes as f64 / done,
        done / flushes
    );
    Ok(())
}

/// Instances created as fast as they are taken, and what a page of them costs, the first and a late one.
fn starts(count: usize) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let store = SqliteStore::open(Options::new(folder.path().join("hub.db")))?;
    let (tell, hear) = channel();
    let began = Instant::now();
    for number in 0..count {
        create(&store, number, &tell);
    }
    for _ in 0..count {
        hear.recv()?.1?;
    }
    println!(
        "{count} creates in {:?}: {:.0}/s",
        began.elapsed(),
        count as f64 / began.elapsed().as_secs_f64()
    );
    let mut query = durable_runtime::store::ListQuery {
        limit: 100,
        ..Default::default()
    };
    let mut pages: Vec<Duration> = Vec::new();
    loop {
        let began = Instant::now();
        let page = futures::executor::block_on(store.list(query.clone()))?;
        pages.push(began.elapsed());
        let Some(last) = page.last() else { break };
        query.after = Some(durable_runtime::store::Cursor {
            created: last.created,
            id: last.id.to_string(),
        });
    }
    ensure!(pages.len() == count / 100 + 1);
    let mean = |pages: &[Duration]| {
        pages.iter().sum::<Duration>() / u32::try_from(pages.len()).unwrap_or(1)
    };
    println!(
        "a page of 100: {:?} among the first fifty, {:?} among the last",
        mean(&pages[..50]),
        mean(&pages[pages.len() - 50..])
    );
    futures::executor::block_on(store.close());
    Ok(())
}

fn create(store: &SqliteStore, number: usize, tell: &Sender<Answer>) {
    let key = InstanceKey(store.ids().next());
    submit(store, Change::Create(Box::new(instance(key))), number, tell);
}

fn instance(key: InstanceKey) -> NewInstance {
    NewInstance {
        key,
        id: Arc::from(format!("{:032x}", key.0)),
        started: ExecutionStarted {
            name: Arc::from("hello_cities"),
            version: String::new(),
            execution_id: Arc::from("0123456789abcdef0123456789abcdef"),
            parent: None,
            scheduled_start: None,
            generation: 0,
            tags: Default::default(),
            trace_parent: None,
            input: Some(Payload::null()),
        },
        created: Timestamp::from_micros(1_732_435_200_000_000 + key.0),
        reuse: Reuse::NonRunning,
        on_refused: None,
    }
}

fn step(
    store: &SqliteStore,
    key: InstanceKey,
    number: usize,
    sequence: i64,
    life: i64,
    tell: &Sender<Answer>,
) {
    let last = sequence + 1 == life;
    let turn = TurnCommit {
        key,
        id: Arc::from(""),
        create: (sequence == 0).then(|| Box::new(instance(key))),
        expected_sequence: sequence,
        events: Some(EVENTS.to_owned()),
        new_generation: None,
        status: if last {
            RuntimeStatus::Completed
        } else {
            RuntimeStatus::Running
        },
        updated: Timestamp::from_micros(1_732_435_200_000_000 + sequence),
        wake_at: (!last).then_some(Timestamp::from_micros(0)),
        payloads: Vec::new(),
        consumed: Vec::new(),
        messages: Vec::new(),
        starts: Vec::new(),
        settled: Vec::new(),
        outbox: Vec::new(),
    };
    submit(store, Change::Turn(Box::new(turn)), number, tell);
}

fn submit(store: &SqliteStore, change: Change, number: usize, tell: &Sender<Answer>) {
    let tell = tell.clone();
    store.submit(
        change,
        Box::new(move |result| drop(tell.send((number, result)))),
    );
}

/// Bytes that this process has sent to the disk, where the system says so.
fn written_bytes() -> anyhow::Result<u64> {
    let Ok(io) = std::fs::read_to_string("/proc/self/io") else {
        return Ok(0);
    };
    let line = io
        .lines()
        .find_map(|line| line.strip_prefix("write_bytes: "))
        .context("write_bytes")?;
    Ok(line.parse()?)
}
