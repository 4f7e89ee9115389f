//! `cargo bench --bench scale [-- --json] [--size N] [history|parked|start|idle ..]`: what many instances, and long ones, cost. On a
//! SQLite file in the temporary folder, every commit flushed.
//!
//! Each measurement runs in a process of its own. `--size` (1,000,000) is the number of waiting instances of the largest hub;
//! `idle` and one `parked` use a tenth and a hundredth of it. Figures of processes are read from `/proc`: elsewhere they are missing.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use durable_functions::prelude::*;
use durable_functions::store::sqlite::{Options as SqliteOptions, SqliteStore};
use durable_runtime::hub::{self, Hub, Settings};
use durable_runtime::{Registry, States};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

const PATIENCE: Duration = Duration::from_secs(600);
/// A process that takes one measurement and prints its rows.
const ONE: &str = "--one";
/// Instances of the large hub that have something to do.
const RUNNABLE: u64 = 1_000;
/// Starts under way at one time.
const AT_ONCE: usize = 2_000;
/// How long a parked instance stays in memory.
const IDLE: Duration = Duration::from_secs(1);
/// How long the idle host is watched.
const WATCH: Duration = Duration::from_secs(30);
/// The steps of a history of a hundred thousand events, four to a step.
const STEPS: u64 = 25_000;

/// How the figures look with it: `cargo bench --bench scale --features mimalloc`.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: durable_functions::MiMalloc = durable_functions::MiMalloc;

#[activity_trigger]
async fn next(n: u64) -> u64 {
    n + 1
}

/// The long history is there.
#[activity_trigger]
async fn grown() {
    TURNED.notify_one();
}

/// A long history, then a wait.
#[orchestration_trigger]
async fn long(ctx: OrchestrationContext, length: u64) -> Result<u64> {
    let mut n = 0;
    while n < length {
        n = ctx.call_activity::<next>(n).await?;
    }
    ctx.call_activity::<grown>(()).await?;
    Ok(n + ctx.wait_for_external_event::<u64>("go").await?)
}

#[orchestration_trigger]
async fn waits(ctx: OrchestrationContext) -> Result<u64> {
    Ok(ctx.wait_for_external_event::<u64>("go").await?)
}

static TAKEN_UP: AtomicUsize = AtomicUsize::new(0);
static TURNED: Notify = Notify::const_new();

/// Never ends: what waits for it is runnable at each start.
#[activity_trigger]
async fn endless() {
    TAKEN_UP.fetch_add(1, Ordering::Relaxed);
    TURNED.notify_one();
    std::future::pending::<()>().await;
}

#[orchestration_trigger]
async fn runnable(ctx: OrchestrationContext) -> Result<()> {
    Ok(ctx.call_activity::<endless>(()).await?)
}

/// One figure.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Row {
    measurement: String,
    figure: String,
    value: f64,
    unit: String,
    /// At most so much, if there is an aim.
    aim: Option<f64>,
}

fn row(measurement: &str, figure: &str, value: f64, unit: &str, aim: Option<f64>) -> Row {
    Row {
        measurement: measurement.to_owned(),
        figure: figure.to_owned(),
        value,
        unit: unit.to_owned(),
        aim,
    }
}

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [first, measurement, folder, size] = &args[..]
        && first == ONE
    {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        let folder = Path::new(folder);
        let rows = runtime.block_on(Box::pin(one(measurement, folder, size.parse()?)))?;
        println!("{}", serde_json::to_string(&rows)?);
        // An activity that never ends must not hold up the bench.
        runtime.shutdown_background();
        return Ok(());
    }
    let as_json = args.iter().any(|arg| arg == "--json");
    let size = args.iter().position(|arg| arg == "--size");
    let size: u64 = match size {
        Some(at) => args.get(at + 1).context("--size wants a number")?.parse()?,
        None => 1_000_000,
    };
    let wanted: Vec<&str> = args
        .iter()
        .map(String::as_str)
        .filter(|arg| ["history", "parked", "start", "idle"].contains(arg))
        .collect();
    let wants = |name: &str| wanted.is_empty() || wanted.contains(&name);
    let mut rows = Vec::new();
    let mut take = |measurement: &str, folder: &Path, size: u64| {
        let new = in_child(measurement, folder, size)?;
        if !as_json {
            new.iter().for_each(line);
        }
        rows.extend(new);
        anyhow::Ok(())
    };
    if wants("history") {
        for steps in [STEPS / 4, STEPS] {
            let folder = tempfile::tempdir()?;
            take("grow", folder.path(), steps)?;
            take("history", folder.path(), steps)?;
        }
    }
    for (n, then) in [
        (size / 100, None),
        (size / 10, Some("idle")),
        (size, Some("start")),
    ] {
        if !(wants("parked") || then.is_some_and(wants)) {
            continue;
        }
        let folder = tempfile::tempdir()?;
        take("parked", folder.path(), n)?;
        if let Some(then) = then.filter(|then| wants(then)) {
            take(then, folder.path(), n)?;
        }
    }
    if as_json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
    }
    Ok(())
}

fn line(row: &Row) {
    let aim = match row.aim {
        None => String::new(),
        Some(aim) if row.value <= aim => format!("(aim: {aim}, met)"),
        Some(aim) => format!("(aim: {aim}, missed)"),
    };
    println!(
        "{:<18} {:<44} {:>12.3} {:<6} {aim}",
        row.measurement, row.figure, row.value, row.unit
    );
}

fn in_child(measurement: &str, folder: &Path, size: u64) -> anyhow::Result<Vec<Row>> {
    let output = Command::new(std::env::current_exe()?)
        .args([ONE, measurement])
        .arg(folder)
        .arg(size.to_string())
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "{measurement} of {size} failed");
    Ok(serde_json::from_slice(&output.stdout)?)
}

async fn one(measurement: &str, folder: &Path, size: u64) -> anyhow::Result<Vec<Row>> {
    match measurement {
        "grow" => grow(folder, size).await,
        "history" => history(folder, size).await,
        "parked" => parked(folder, size).await,
        "start" => start(folder, size).await,
        "idle" => idle(folder, size).await,
        other => bail!("no measurement `{other}`"),
    }
}

/// A hub on the folder's file.
fn open(folder: &Path, idle_timeout: Duration) -> anyhow::Result<Hub> {
    let store = SqliteStore::open(SqliteOptions::new(folder.join("hub.db")))?;
    let mut settings = Settings::default();
    settings.idle_timeout = idle_timeout;
    let options = hub::Options {
        registry: Registry::collect().map_err(|faults| anyhow::anyhow!("{faults:?}"))?,
        states: Arc::new(States::default()),
        store: Arc::new(store),
        settings,
    };
    Hub::start(options, &DurableClient::unbound()).map_err(|error| anyhow::anyhow!("{error}"))
}

/// The id of the long instance.
const LONG: &str = "long";

/// A long instance is made, and left.
async fn grow(folder: &Path, steps: u64) -> anyhow::Result<Vec<Row>> {
    let hub = open(folder, PATIENCE)?;
    let began = Instant::now();
    let start = hub.client().start_new::<long>(steps);
    start.with_instance_id(LONG).await?;
    TURNED.notified().await;
    let step = began.elapsed().as_secs_f64() * 1e6 / steps as f64;
    hub.shutdown().await;
    let name = format!("history {}k", 4 * steps / 1000);
    Ok(vec![row(&name, "a step, while it grew", step, "us", None)])
}

/// The instance that [`grow`] left is taken up.
async fn history(folder: &Path, steps: u64) -> anyhow::Result<Vec<Row>> {
    let hub = open(folder, PATIENCE)?;
    let before = resident_kib();
    let began = Instant::now();
    hub.client().raise_event(LONG, "go", 1).await?;
    let end = hub.client().wait_for_completion(LONG, PATIENCE).await?;
    let took = began.elapsed();
    let output: u64 = end.output_as().map_err(anyhow::Error::msg)?;
    ensure!(output == steps + 1, "{output}");
    hub.shutdown().await;
    let name = format!("history {}k", 4 * steps / 1000);
    let peak = proc_number("status", "VmHWM:").zip(before);
    let mut rows = vec![row(
        &name,
        "taken up and ended",
        took.as_secs_f64(),
        "s",
        Some(1.0),
    )];
    if let Some((peak, before)) = peak {
        let grown = peak.saturating_sub(before) as f64 / 1024.0;
        rows.push(row(&name, "memory that took, at most", grown, "MiB", None));
    }
    Ok(rows)
}

/// Instances that wait leave memory; the host answers meanwhile.
async fn parked(folder: &Path, count: u64) -> anyhow::Result<Vec<Row>> {
    let hub = open(folder, IDLE)?;
    let client = hub.client();
    for _ in 0..RUNNABLE {
        client.start_new::<runnable>(()).await?;
    }
    // What any hub needs is there, and these have left memory, but for what is known of their activities.
    tokio::time::sleep(2 * IDLE).await;
    let before = resident_kib();
    let began = Instant::now();
    let starts = stream::iter(0..count).map(|n| {
        let start = client
            .start_new::<waits>(())
            .with_instance_id(format!("w{n}"));
        async move { start.await.map(drop) }
    });
    let all = starts.buffer_unordered(AT_ONCE);
    all.try_for_each(|()| std::future::ready(Ok(()))).await?;
    let started = began.elapsed();
    let mut reads = Vec::new();
    let until = Instant::now() + 4 * IDLE;
    let mut n = 0;
    while Instant::now() < until {
        n = (n + 7_919) % count;
        let began = Instant::now();
        let status = client.get_status(format!("w{n}")).await?;
        ensure!(status.is_some(), "w{n} is lost");
        reads.push(began.elapsed());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let after = resident_kib();
    let mut ends = Vec::new();
    for n in (0..count).step_by(usize::try_from(count / 200)?.max(1)) {
        let id = format!("w{n}");
        let began = Instant::now();
        client.raise_event(&id, "go", n).await?;
        client.wait_for_completion(&id, PATIENCE).await?;
        ends.push(began.elapsed());
    }
    let name = format!("parked {count}");
    let mut rows = vec![
        row(
            &name,
            "starts per second",
            count as f64 / started.as_secs_f64(),
            "1/s",
            None,
        ),
        row(
            &name,
            "status of one, median",
            at(&mut reads, 50),
            "ms",
            None,
        ),
        row(
            &name,
            "status of one, 99 of 100",
            at(&mut reads, 99),
            "ms",
            Some(10.0),
        ),
        row(&name, "event to end, median", at(&mut ends, 50), "ms", None),
        row(
            &name,
            "event to end, 99 of 100",
            at(&mut ends, 99),
            "ms",
            Some(20.0),
        ),
    ];
    if let Some((before, after)) = before.zip(after) {
        let grown = after.saturating_sub(before) as f64 * 1024.0 / count as f64;
        rows.push(row(
            &name,
            "memory of each, once evicted",
            grown,
            "B",
            Some(1024.0),
        ));
        rows.push(row(
            &name,
            "memory of the process",
            after as f64 / 1024.0,
            "MiB",
            Some(300.0),
        ));
    }
    if let Some(peak) = proc_number("status", "VmHWM:") {
        rows.push(row(
            &name,
            "memory of the process, peak",
            peak as f64 / 1024.0,
            "MiB",
            None,
        ));
    }
    // As after a crash: what runs is left as it is.
    drop(hub);
    Ok(rows)
}

/// The hub of [`parked`] is opened again.
async fn start(folder: &Path, count: u64) -> anyhow::Result<Vec<Row>> {
    let began = Instant::now();
    let hub = open(folder, Duration::from_secs(30))?;
    let opened = began.elapsed();
    let mut first = None;
    loop {
        TURNED.notified().await;
        first.get_or_insert_with(|| began.elapsed());
        // So many run at one time.
        if TAKEN_UP.load(Ordering::Relaxed) >= Settings::default().max_concurrent_activities {
            break;
        }
    }
    let name = format!("start {count}");
    let first = first.unwrap_or_default();
    drop(hub);
    Ok(vec![
        row(&name, "hub open", opened.as_secs_f64(), "s", None),
        row(
            &name,
            "first activity of what was left",
            first.as_secs_f64(),
            "s",
            Some(1.0),
        ),
        row(
            &name,
            "all slots at work",
            began.elapsed().as_secs_f64(),
            "s",
            None,
        ),
    ])
}

/// The hub of [`parked`], and nothing happens.
async fn idle(folder: &Path, count: u64) -> anyhow::Result<Vec<Row>> {
    let hub = open(folder, Duration::from_secs(30))?;
    // What was left is taken up, the log is copied.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let name = format!("idle {count}");
    let before = (
        cpu_seconds(),
        proc_number("io", "syscw:"),
        proc_number("io", "write_bytes:"),
    );
    tokio::time::sleep(WATCH).await;
    let after = (
        cpu_seconds(),
        proc_number("io", "syscw:"),
        proc_number("io", "write_bytes:"),
    );
    let share = 100.0 * (after.0 - before.0) / WATCH.as_secs_f64();
    let mut rows = vec![row(&name, "of one core", share, "%", Some(0.1))];
    if let Some((after, before)) = after.2.zip(before.2) {
        rows.push(row(
            &name,
            "written",
            (after - before) as f64,
            "B",
            Some(0.0),
        ));
    }
    if let Some((after, before)) = after.1.zip(before.1) {
        // Wake-ups of the runtime's own threads are writes too, to no file.
        rows.push(row(
            &name,
            "calls of write, files or not",
            (after - before) as f64,
            "",
            None,
        ));
    }
    drop(hub);
    Ok(rows)
}

/// Milliseconds within which so many percent were done.
fn at(times: &mut [Duration], percent: usize) -> f64 {
    times.sort_unstable();
    let last = times.len().saturating_sub(1);
    times
        .get(last * percent / 100)
        .map_or(0.0, |time| time.as_secs_f64() * 1e3)
}

fn resident_kib() -> Option<u64> {
    proc_number("status", "VmRSS:")
}

/// User and system time of this process, in seconds.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
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
