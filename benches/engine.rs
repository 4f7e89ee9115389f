//! `cargo bench --bench engine [-- --json] [W1 ..]`: what the engine takes, on a SQLite file in the temporary folder, every commit flushed.
//!
//! Each workload runs in a process of its own, so that the peak of memory and the bytes written are its alone. W2 is the median of three
//! runs. `written` is what the kernel accounts to the process, page by page, the write-ahead log included.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use durable_functions::prelude::*;
use durable_functions::store::sqlite::{Options as SqliteOptions, SqliteStore};
use durable_runtime::hub::{self, Hub, Settings};
use durable_runtime::{Registry, States};
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};

const PATIENCE: Duration = Duration::from_secs(600);
/// A process that runs one workload and prints its rows.
const ONE: &str = "--one";
const W2_GOAL: f64 = 5.5;

/// Name, what it is, runs of which the median counts.
const WORKLOADS: [(&str, &str, usize); 5] = [
    ("W1", "1,000 instances of 5 activities in a row", 1),
    ("W2", "1 instance of 1,000 activities in a row", 3),
    ("W2x5", "1 instance of 5,000 activities in a row", 3),
    ("W3", "1 instance, a fan-out of 2,000 joined", 1),
    ("W5", "10,000 instances that wait for an event", 1),
];

#[activity_trigger]
async fn next(n: u64) -> u64 {
    n + 1
}

#[orchestration_trigger]
async fn chain(ctx: OrchestrationContext, length: u64) -> Result<u64> {
    let mut n = 0;
    while n < length {
        n = ctx.call_activity::<next>(n).await?;
    }
    Ok(n)
}

#[orchestration_trigger]
async fn fan_out(ctx: OrchestrationContext, width: u64) -> Result<u64> {
    let all: Vec<u64> = ctx
        .when_all((0..width).map(|n| ctx.call_activity::<next>(n)))
        .await?;
    Ok(all.into_iter().sum())
}

#[orchestration_trigger]
async fn waits(ctx: OrchestrationContext) -> Result<u64> {
    Ok(ctx.wait_for_external_event::<u64>("go").await?)
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Row {
    workload: String,
    seconds: f64,
    unit: String,
    units: u64,
    per_second: f64,
    p50_ms: Option<f64>,
    p99_ms: Option<f64>,
    flushes: u64,
    flushes_per_second: f64,
    written_bytes: Option<u64>,
    peak_kib: Option<u64>,
}

#[derive(Serialize)]
struct Report {
    flush_us: f64,
    rows: Vec<Row>,
    #[serde(skip_serializing_if = "Option::is_none")]
    w2_ratio: Option<f64>,
}

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [first, workload] = &args[..]
        && first == ONE
    {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        let rows = runtime.block_on(Box::pin(one(workload)))?;
        println!("{}", serde_json::to_string(&rows)?);
        return Ok(());
    }
    let as_json = args.iter().any(|arg| arg == "--json");
    let wanted = |name: &str| {
        let mut names = args.iter().filter(|arg| !arg.starts_with('-')).peekable();
        names.peek().is_none() || names.any(|arg| arg == name)
    };
    let mut report = Report {
        flush_us: flush_time()?.as_secs_f64() * 1e6,
        rows: Vec::new(),
        w2_ratio: None,
    };
    if !as_json {
        heading(report.flush_us);
    }
    for (name, what, runs) in WORKLOADS.into_iter().filter(|(name, ..)| wanted(name)) {
        let rows = median(name, runs)?;
        if !as_json {
            println!("{name}: {what}");
            rows.iter().for_each(line);
        }
        report.rows.extend(rows);
    }
    let times: BTreeMap<&str, f64> = report
        .rows
        .iter()
        .map(|row| (row.workload.as_str(), row.seconds))
        .collect();
    report.w2_ratio = times
        .get("W2x5")
        .zip(times.get("W2"))
        .map(|(long, short)| long / short);
    if as_json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else if let Some(ratio) = report.w2_ratio {
        let verdict = if ratio <= W2_GOAL { "met" } else { "missed" };
        println!(
            "W2: five times the steps take {ratio:.2} times as long (goal: at most {W2_GOAL}, {verdict})"
        );
    }
    Ok(())
}

fn heading(flush_us: f64) {
    println!("flush: {flush_us:.0} us (append of 8 KiB and fdatasync, median)");
    println!(
        "{:<11} {:>8} {:>19} {:>9} {:>9} {:>9} {:>11} {:>9}",
        "workload",
        "seconds",
        "per second",
        "p50 ms",
        "p99 ms",
        "flushes/s",
        "written MiB",
        "peak MiB"
    );
}

fn line(row: &Row) {
    let shown =
        |value: Option<f64>| value.map_or_else(|| "n/a".to_owned(), |value| format!("{value:.1}"));
    let latency =
        |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.1}"));
    println!(
        "{:<11} {:>8.3} {:>19} {:>9} {:>9} {:>9.0} {:>11} {:>9}",
        row.workload,
        row.seconds,
        format!("{:.0} {}", row.per_second, row.unit),
        latency(row.p50_ms),
        latency(row.p99_ms),
        row.flushes_per_second,
        shown(
            row.written_bytes
                .map(|bytes| bytes as f64 / f64::from(1 << 20))
        ),
        shown(row.peak_kib.map(|kib| kib as f64 / 1024.0)),
    );
}

/// The rows of the run that took the median time.
fn median(workload: &str, runs: usize) -> anyhow::Result<Vec<Row>> {
    let mut all = (0..runs)
        .map(|_| in_child(workload))
        .collect::<anyhow::Result<Vec<_>>>()?;
    all.sort_by(|a, b| {
        let seconds = |rows: &[Row]| rows.iter().map(|row| row.seconds).sum::<f64>();
        seconds(a).total_cmp(&seconds(b))
    });
    Ok(all.swap_remove(runs / 2))
}

fn in_child(workload: &str) -> anyhow::Result<Vec<Row>> {
    let output = Command::new(std::env::current_exe()?)
        .args([ONE, workload])
        .stderr(std::process::Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "{workload} failed");
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// What one flush costs on this disk, median.
fn flush_time() -> anyhow::Result<Duration> {
    let mut file = tempfile::tempfile()?;
    let mut times = Vec::new();
    for _ in 0..200 {
        let began = Instant::now();
        file.write_all(&[7; 8192])?;
        file.sync_data()?;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    Ok(times[times.len() / 2])
}

/// A hub on a new file.
struct Bench {
    hub: Hub,
    client: DurableClient,
    store: Arc<SqliteStore>,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn open() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let store = Arc::new(SqliteStore::open(SqliteOptions::new(
            folder.path().join("hub.db"),
        ))?);
        let registry = Registry::collect().map_err(|faults| anyhow::anyhow!("{faults:?}"))?;
        let client = DurableClient::unbound();
        let options = hub::Options {
            registry,
            states: Arc::new(States::default()),
            store: Arc::clone(&store) as Arc<dyn durable_functions::store::Store>,
            settings: Settings::default(),
        };
        let hub = Hub::start(options, &client).map_err(anyhow::Error::msg)?;
        Ok(Self {
            hub,
            client,
            store,
            _folder: folder,
        })
    }

    /// From here on.
    fn mark(&self) -> Mark {
        Mark {
            began: Instant::now(),
            flushes: self.store.flushes(),
            written: written_bytes(),
        }
    }

    fn row(
        &self,
        workload: &str,
        (units, unit): (u64, &str),
        since: &Mark,
        latencies: Vec<Duration>,
    ) -> Row {
        let seconds = since.began.elapsed().as_secs_f64();
        let flushes = self.store.flushes() - since.flushes;
        let latencies = Latencies::new(latencies);
        Row {
            workload: workload.to_owned(),
            seconds,
            unit: unit.to_owned(),
            units,
            per_second: units as f64 / seconds,
            p50_ms: latencies.at(50),
            p99_ms: latencies.at(99),
            flushes,
            flushes_per_second: flushes as f64 / seconds,
            written_bytes: written_bytes()
                .zip(since.written)
                .map(|(now, then)| now.saturating_sub(then)),
            peak_kib: proc_number("status", "VmHWM:"),
        }
    }

    async fn end(&self, id: &str, expected: u64) -> anyhow::Result<()> {
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
}

struct Mark {
    began: Instant,
    flushes: u64,
    written: Option<u64>,
}

struct Latencies(Vec<Duration>);

impl Latencies {
    fn new(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        Self(all)
    }

    /// Milliseconds within which so many percent were done.
    fn at(&self, percent: usize) -> Option<f64> {
        let last = self.0.len().checked_sub(1)?;
        self.0
            .get(last * percent / 100)
            .map(|time| time.as_secs_f64() * 1e3)
    }
}

fn written_bytes() -> Option<u64> {
    proc_number("io", "write_bytes:")
}

/// A number that Linux keeps of this process.
fn proc_number(file: &str, field: &str) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/self/{file}")).ok()?;
    text.lines()
        .find_map(|line| line.strip_prefix(field))?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

async fn one(workload: &str) -> anyhow::Result<Vec<Row>> {
    let bench = Bench::open()?;
    let rows = match workload {
        "W1" => vec![chains(&bench, 1_000, 5).await?],
        "W2" => vec![long_chain(&bench, "W2", 1_000).await?],
        "W2x5" => vec![long_chain(&bench, "W2x5", 5_000).await?],
        "W3" => vec![joined(&bench, 2_000).await?],
        "W5" => events(&bench, 10_000).await?,
        other => anyhow::bail!("no workload `{other}`"),
    };
    bench.hub.shutdown().await;
    Ok(rows)
}

async fn chains(bench: &Bench, instances: u64, length: u64) -> anyhow::Result<Row> {
    let mark = bench.mark();
    let all = (0..instances).map(async |_| {
        let began = Instant::now();
        let id = bench.client.start_new::<chain>(length).await?;
        bench.end(&id, length).await?;
        anyhow::Ok(began.elapsed())
    });
    let latencies = try_join_all(all).await?;
    Ok(bench.row("W1", (instances * length, "steps"), &mark, latencies))
}

async fn long_chain(bench: &Bench, workload: &str, length: u64) -> anyhow::Result<Row> {
    let mark = bench.mark();
    let id = bench.client.start_new::<chain>(length).await?;
    bench.end(&id, length).await?;
    Ok(bench.row(workload, (length, "steps"), &mark, Vec::new()))
}

async fn joined(bench: &Bench, width: u64) -> anyhow::Result<Row> {
    let mark = bench.mark();
    let id = bench.client.start_new::<fan_out>(width).await?;
    bench.end(&id, width * (width + 1) / 2).await?;
    Ok(bench.row("W3", (width, "activities"), &mark, Vec::new()))
}

async fn events(bench: &Bench, instances: u64) -> anyhow::Result<Vec<Row>> {
    let mark = bench.mark();
    let starts = (0..instances).map(async |_| {
        let began = Instant::now();
        let id = bench.client.start_new::<waits>(()).await?;
        anyhow::Ok((id, began.elapsed()))
    });
    let (ids, latencies): (Vec<String>, Vec<Duration>) =
        try_join_all(starts).await?.into_iter().unzip();
    let started = bench.row("W5 start", (instances, "instances"), &mark, latencies);
    let mark = bench.mark();
    let ends = ids.iter().zip(1..).map(async |(id, n): (&String, u64)| {
        let began = Instant::now();
        let raise = async { Ok(bench.client.raise_event(id, "go", n).await?) };
        let ((), ()) = futures::try_join!(bench.end(id, n), raise)?;
        anyhow::Ok(began.elapsed())
    });
    let latencies = try_join_all(ends).await?;
    Ok(vec![
        started,
        bench.row("W5 event", (instances, "instances"), &mark, latencies),
    ])
}
