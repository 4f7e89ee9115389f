//! The workloads, each in a process of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use durable_functions::prelude::*;
use durable_functions::store::sqlite::{Durability, Options as SqliteOptions, SqliteStore};
use durable_runtime::hub::{self, Hub, Settings};
use durable_runtime::{Registry, States};
use futures::StreamExt as _;
use futures::stream;
use uuid::Uuid;

use crate::functions::{chain, fan_out, waits, watch, watched};
use crate::measure::{Mark, Row, resident_bytes};

const PATIENCE: Duration = Duration::from_secs(600);
/// Clients that wait at one time. Above it a workload of more instances starts one as another is accepted.
const CLIENTS: usize = 20_000;

/// A hub on a file.
pub(crate) struct Bench {
    pub(crate) hub: Hub,
    pub(crate) client: DurableClient,
    store: Arc<SqliteStore>,
}

impl Bench {
    pub(crate) fn open(folder: &Path, mut settings: Settings) -> anyhow::Result<Self> {
        let is_set = |name: &str| std::env::var_os(name).is_some();
        let mut options = SqliteOptions::new(database(folder));
        if is_set("RELAXED") {
            options.durability = Durability::Relaxed;
        }
        settings.speculative = is_set("SPECULATIVE");
        let store = Arc::new(SqliteStore::open(options)?);
        let registry = Registry::collect().map_err(|faults| anyhow::anyhow!("{faults:?}"))?;
        let client = DurableClient::unbound();
        let options = hub::Options {
            registry,
            states: Arc::new(States::default()),
            store: Arc::clone(&store) as Arc<dyn durable_functions::store::Store>,
            settings,
        };
        let hub = Hub::start(options, &client).map_err(anyhow::Error::msg)?;
        Ok(Self { hub, client, store })
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark::new(self.store.flushes())
    }

    pub(crate) fn row(
        &self,
        workload: &str,
        units: (u64, &str),
        since: &Mark,
        latencies: Vec<Duration>,
    ) -> Row {
        since.row(workload, units, self.store.flushes(), latencies)
    }

    pub(crate) async fn end(&self, id: &str, expected: u64) -> anyhow::Result<()> {
        let status = self
            .client
            .wait_for_completion(id, PATIENCE)
            .await
            .with_context(|| id.to_owned())?;
        let output: u64 = status.output_as().map_err(anyhow::Error::msg)?;
        ensure!(
            output == expected,
            "{id} gave {output}, expected {expected}"
        );
        Ok(())
    }

    /// Ends it; what the last row's bytes are is known only then.
    async fn close(self, mark: &Mark, row: &mut Row) {
        self.hub.shutdown().await;
        row.written_bytes = mark.written();
    }
}

pub(crate) fn database(folder: &Path) -> PathBuf {
    folder.join("hub.db")
}

/// One row, for a workload that starts, works and ends.
pub(crate) async fn chains(folder: &Path, name: &str, instances: u64) -> anyhow::Result<Vec<Row>> {
    const LENGTH: u64 = 5;
    let bench = Bench::open(folder, Settings::default())?;
    let mark = bench.mark();
    let all = stream::iter(0..instances).map(async |_| {
        let began = Instant::now();
        let id = bench.client.start_new::<chain>(LENGTH).await?;
        bench.end(&id, LENGTH).await?;
        anyhow::Ok(began.elapsed())
    });
    let latencies = collect(all).await?;
    let mut row = bench.row(name, (instances * LENGTH, "steps"), &mark, latencies);
    bench.close(&mark, &mut row).await;
    let each = |total: f64| total / instances as f64;
    row.notes = vec![("CPU ms an instance".to_owned(), each(row.cpu_seconds * 1e3))];
    if let Some(bytes) = row.written_bytes {
        row.notes.push((
            "KB written an instance".to_owned(),
            each(bytes as f64 / 1e3),
        ));
    }
    Ok(vec![row])
}

/// Clients, each of which starts an instance of one activity when its last one has ended.
pub(crate) async fn clients(
    folder: &Path,
    name: &str,
    clients: usize,
    instances: u64,
) -> anyhow::Result<Vec<Row>> {
    let bench = Bench::open(folder, Settings::default())?;
    let mark = bench.mark();
    let all = stream::iter(0..instances).map(async |_| {
        let began = Instant::now();
        let id = bench.client.start_new::<chain>(1u64).await?;
        bench.end(&id, 1).await?;
        anyhow::Ok(began.elapsed())
    });
    let latencies = collect_by(clients, all).await?;
    let mut row = bench.row(name, (instances, "instances"), &mark, latencies);
    bench.close(&mark, &mut row).await;
    Ok(vec![row])
}

/// The result of all, in any order.
async fn collect<T, F: Future<Output = anyhow::Result<T>>>(
    all: impl stream::Stream<Item = F>,
) -> anyhow::Result<Vec<T>> {
    collect_by(CLIENTS, all).await
}

async fn collect_by<T, F: Future<Output = anyhow::Result<T>>>(
    clients: usize,
    all: impl stream::Stream<Item = F>,
) -> anyhow::Result<Vec<T>> {
    let mut done = Vec::new();
    let mut all = std::pin::pin!(all.buffer_unordered(clients));
    while let Some(one) = all.next().await {
        done.push(one?);
    }
    Ok(done)
}

/// One instance, activities in a row. Told of a long one: how much longer a step of its last tenth took than one of the first.
pub(crate) async fn long_chain(folder: &Path, name: &str, length: u64) -> anyhow::Result<Vec<Row>> {
    let bench = Bench::open(folder, Settings::default())?;
    let tenth = length / 10;
    watch([tenth, length - tenth]);
    let (mark, began) = (bench.mark(), Instant::now());
    let id = bench.client.start_new::<chain>(length).await?;
    bench.end(&id, length).await?;
    let ended = Instant::now();
    let mut row = bench.row(name, (length, "steps"), &mark, Vec::new());
    bench.close(&mark, &mut row).await;
    if length >= 5_000 {
        let [first, last] = watched().context("all steps ran")?;
        let ratio = (ended - last).as_secs_f64() / (first - began).as_secs_f64();
        row.notes.push(("last tenth to first".to_owned(), ratio));
    }
    Ok(vec![row])
}

/// One instance, activities side by side.
pub(crate) async fn joined(folder: &Path, name: &str, width: u64) -> anyhow::Result<Vec<Row>> {
    let bench = Bench::open(folder, Settings::default())?;
    let mark = bench.mark();
    let id = bench.client.start_new::<fan_out>(width).await?;
    bench.end(&id, width * (width + 1) / 2).await?;
    let mut row = bench.row(name, (width, "activities"), &mark, Vec::new());
    bench.close(&mark, &mut row).await;
    Ok(vec![row])
}

/// Instances that wait, then one event to each: two rows.
pub(crate) async fn events(folder: &Path, name: &str, instances: u64) -> anyhow::Result<Vec<Row>> {
    let bench = Bench::open(folder, Settings::default())?;
    let (ids, started, _) = park(&bench, name, instances, Vec::new()).await?;
    let (mark, mut raised) = raise(&bench, name, &ids).await?;
    bench.close(&mark, &mut raised).await;
    Ok(vec![started, raised])
}

/// An instance and how long its start took: plain data, so that the memory that instances leave is not held by what lies between.
type Started = (Uuid, Duration);

/// Room for so many that is in RAM already.
fn room_for(instances: u64) -> anyhow::Result<Vec<Started>> {
    let mut room = vec![(Uuid::max(), Duration::MAX); usize::try_from(instances)?];
    room.clear();
    Ok(room)
}

/// Starts instances that wait; `all` is where they are noted.
async fn park(
    bench: &Bench,
    name: &str,
    instances: u64,
    mut all: Vec<Started>,
) -> anyhow::Result<(Vec<Started>, Row, Mark)> {
    let mark = bench.mark();
    let starts = stream::iter(0..instances).map(async |_| {
        let began = Instant::now();
        let id = bench.client.start_new::<waits>(()).await?;
        anyhow::Ok((Uuid::try_parse(&id)?, began.elapsed()))
    });
    let mut starts = std::pin::pin!(starts.buffer_unordered(CLIENTS));
    while let Some(one) = starts.next().await {
        all.push(one?);
    }
    let latencies = all.iter().map(|(_, latency)| *latency).collect();
    let units = (instances, "instances");
    let row = bench.row(&format!("{name} start"), units, &mark, latencies);
    Ok((all, row, mark))
}

async fn raise(bench: &Bench, name: &str, ids: &[Started]) -> anyhow::Result<(Mark, Row)> {
    let mark = bench.mark();
    let ends = stream::iter(ids.iter().zip(1..)).map(async |((id, _), n): (&Started, u64)| {
        let began = Instant::now();
        let id = id.simple().to_string();
        let raise = async { Ok(bench.client.raise_event(&id, "go", n).await?) };
        let ((), ()) = futures::try_join!(bench.end(&id, n), raise)?;
        anyhow::Ok(began.elapsed())
    });
    let latencies = collect(ends).await?;
    let units = (ids.len() as u64, "instances");
    let row = bench.row(&format!("{name} event"), units, &mark, latencies);
    Ok((mark, row))
}

/// Instances that wait and have left memory: what each still takes there, and what the host does meanwhile. Then an event to some.
pub(crate) async fn parked(folder: &Path, name: &str, instances: u64) -> anyhow::Result<Vec<Row>> {
    const QUIET: Duration = Duration::from_secs(5);
    let mut settings = Settings::default();
    settings.idle_timeout = Duration::from_millis(500);
    let bench = Bench::open(folder, settings)?;
    // What is there once and for all is not what an instance costs, nor is what this bench keeps of each.
    let (ids, ..) = park(&bench, name, 1_000, Vec::new()).await?;
    raise(&bench, name, &ids).await?;
    let room = room_for(instances)?;
    let before = resident_bytes();
    let (mut ids, mut started, _) = park(&bench, name, instances, room).await?;
    while bench.hub.resident() > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // The log is copied, the allocator settles.
    tokio::time::sleep(Duration::from_secs(1)).await;
    if let (Some(before), Some(after)) = (before, resident_bytes()) {
        let each = after.saturating_sub(before) as f64 / instances as f64;
        started
            .notes
            .push(("bytes of memory each".to_owned(), each));
    }
    let quiet = bench.mark();
    tokio::time::sleep(QUIET).await;
    let share = quiet.cpu().as_secs_f64() / QUIET.as_secs_f64() * 100.0;
    started.notes.push(("idle CPU %".to_owned(), share));
    if let Some(bytes) = quiet.written() {
        started
            .notes
            .push(("bytes written while idle".to_owned(), bytes as f64));
    }
    ids.truncate(10_000);
    let (mark, mut raised) = raise(&bench, name, &ids).await?;
    bench.close(&mark, &mut raised).await;
    Ok(vec![started, raised])
}
