//! `cargo bench --bench engine [-- [--json] [growth] [W1 ..]]`: what the engine takes, on a SQLite file in the temporary folder, every
//! commit flushed. `growth` runs the large sizes instead. docs/performance.md says how to read it.
//!
//! With `RELAXED=1` in its environment the engine's commits are not flushed (the floor's are); with `SPECULATIVE=1` activities do not wait
//! for them.
//!
//! Each workload runs in a process of its own, so that the peak of memory, CPU time and the bytes written are its alone. Beside it runs its
//! floor (`floor.rs`): the same rows and commits by bare diesel. Both are run in turns, and the median of each counts.

#[path = "../floor/mod.rs"]
mod bare;
mod floor;
mod functions;
mod measure;
mod recovery;
mod report;
mod workloads;

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};

use self::measure::Row;
use self::report::Report;

/// A process that runs one workload and prints its rows.
const ONE: &str = "--one";
/// A process that writes the rows of one workload anew and prints what that took.
const FLOOR: &str = "--floor";

/// A workload.
struct Workload {
    name: &'static str,
    what: &'static str,
    /// Of which the median counts.
    runs: usize,
    /// How long it may take, in floors.
    aim: Option<f64>,
}

const fn workload(
    name: &'static str,
    what: &'static str,
    runs: usize,
    aim: Option<f64>,
) -> Workload {
    Workload {
        name,
        what,
        runs,
        aim,
    }
}

const WORKLOADS: [Workload; 9] = [
    workload(
        "W1",
        "1,000 instances of 5 activities in a row",
        5,
        Some(3.0),
    ),
    workload(
        "W2",
        "1 instance of 1,000 activities in a row",
        5,
        Some(1.15),
    ),
    workload(
        "W2x5",
        "1 instance of 5,000 activities in a row",
        3,
        Some(1.15),
    ),
    workload("W3", "1 instance, a fan-out of 2,000 joined", 5, Some(5.0)),
    workload(
        "W3x5",
        "1 instance, a fan-out of 10,000 joined",
        5,
        Some(5.0),
    ),
    workload(
        "W4",
        "2,000 instances of 1 activity by 16 clients, each one after the other, without HTTP",
        5,
        None,
    ),
    workload(
        "W5",
        "10,000 instances that wait for an event",
        3,
        Some(8.0),
    ),
    workload(
        "W5 parked",
        "10,000 instances that wait and have left memory",
        1,
        None,
    ),
    workload(
        "W6",
        "kill -9 in the middle of W1, restart, all complete",
        3,
        None,
    ),
];

const GROWTH: [Workload; 12] = [
    workload("W1", "1,000 instances of 5 activities in a row", 1, None),
    workload("W1x10", "10,000 of them", 1, None),
    workload("W1x100", "100,000 of them", 1, None),
    workload("W2", "1 instance of 1,000 activities in a row", 1, None),
    workload("W2x10", "10,000 in a row", 1, None),
    workload("W2x50", "50,000 in a row", 1, None),
    workload("W3", "1 instance, a fan-out of 2,000 joined", 1, None),
    workload("W3x5", "a fan-out of 10,000", 1, None),
    workload("W3x50", "a fan-out of 100,000", 1, None),
    workload(
        "W5 parked",
        "10,000 instances that wait and have left memory",
        1,
        None,
    ),
    workload("W5x10 parked", "100,000 of them", 1, None),
    workload("W5x100 parked", "1,000,000 of them", 1, None),
];

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [role, workload, folder] = &args[..]
        && role.starts_with("--")
    {
        return child(role, workload, Path::new(folder));
    }
    let names: Vec<&String> = args
        .iter()
        .filter(|arg| !arg.starts_with('-') && *arg != "growth")
        .collect();
    let all: &[Workload] = if args.iter().any(|arg| arg == "growth") {
        &GROWTH
    } else {
        &WORKLOADS
    };
    for name in &names {
        let known = all.iter().any(|workload| workload.name == *name);
        ensure!(known, "no workload `{name}`; they are {}", known_names(all));
    }
    let mut report = Report::begin(args.iter().any(|arg| arg == "--json"))?;
    let wanted =
        |workload: &&Workload| names.is_empty() || names.iter().any(|name| *name == workload.name);
    for workload in all.iter().filter(wanted) {
        report.add(workload.name, workload.what, measured(workload)?);
    }
    report.end()
}

fn known_names(all: &[Workload]) -> String {
    let names: Vec<&str> = all.iter().map(|workload| workload.name).collect();
    names.join(", ")
}

/// Runs the workload and its floor in turns.
fn measured(workload: &Workload) -> anyhow::Result<Vec<Row>> {
    let (mut ours, mut floors) = (Vec::new(), Vec::new());
    for _ in 0..workload.runs {
        let folder = tempfile::tempdir()?;
        ours.push(match workload.name {
            "W6" => recovery::run(folder.path())?,
            name => in_child(ONE, name, folder.path())?,
        });
        if workload.aim.is_some() {
            floors.push(in_child(FLOOR, workload.name, folder.path())?);
        }
    }
    let mut rows = median(ours)?;
    if let Some(aim) = workload.aim {
        for (row, floor) in rows.iter_mut().zip(median(floors)?) {
            row.floor_seconds = Some(floor.seconds);
            row.ratio = Some(row.seconds / floor.seconds);
            row.aim = Some(aim);
        }
    }
    Ok(rows)
}

/// The rows of the run that took the median time.
fn median(mut all: Vec<Vec<Row>>) -> anyhow::Result<Vec<Row>> {
    let seconds = |rows: &[Row]| rows.iter().map(|row| row.seconds).sum::<f64>();
    all.sort_by(|a, b| seconds(a).total_cmp(&seconds(b)));
    let middle = all.len() / 2;
    (!all.is_empty())
        .then(|| all.swap_remove(middle))
        .context("a run")
}

fn in_child(role: &str, workload: &str, folder: &Path) -> anyhow::Result<Vec<Row>> {
    let output = Command::new(std::env::current_exe()?)
        .args([role, workload])
        .arg(folder)
        .stderr(std::process::Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "{workload} failed");
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn child(role: &str, workload: &str, folder: &Path) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let rows = runtime.block_on(Box::pin(async {
        match role {
            ONE => one(workload, folder).await,
            FLOOR => floor(workload, folder).await,
            "--victim" => recovery::victim(folder).await.map(|()| Vec::new()),
            "--heir" => recovery::heir(folder).await,
            other => anyhow::bail!("no role `{other}`"),
        }
    }))?;
    println!("{}", serde_json::to_string(&rows)?);
    Ok(())
}

async fn one(workload: &str, folder: &Path) -> anyhow::Result<Vec<Row>> {
    match workload {
        "W1" => workloads::chains(folder, workload, 1_000).await,
        "W1x10" => workloads::chains(folder, workload, 10_000).await,
        "W1x100" => workloads::chains(folder, workload, 100_000).await,
        "W2" => workloads::long_chain(folder, workload, 1_000).await,
        "W2x5" => workloads::long_chain(folder, workload, 5_000).await,
        "W2x10" => workloads::long_chain(folder, workload, 10_000).await,
        "W2x50" => workloads::long_chain(folder, workload, 50_000).await,
        "W3" => workloads::joined(folder, workload, 2_000).await,
        "W3x5" => workloads::joined(folder, workload, 10_000).await,
        "W3x50" => workloads::joined(folder, workload, 100_000).await,
        "W4" => workloads::clients(folder, workload, 16, 2_000).await,
        "W5" => workloads::events(folder, workload, 10_000).await,
        "W5 parked" => workloads::parked(folder, workload, 10_000).await,
        "W5x10 parked" => workloads::parked(folder, workload, 100_000).await,
        "W5x100 parked" => workloads::parked(folder, workload, 1_000_000).await,
        other => anyhow::bail!("no workload `{other}`"),
    }
}

async fn floor(workload: &str, folder: &Path) -> anyhow::Result<Vec<Row>> {
    let written = workloads::database(folder);
    match workload {
        "W1" => floor::run(&written, &["W1"], (5_000, "steps"), false).await,
        "W2" => floor::run(&written, &["W2"], (1_000, "steps"), false).await,
        "W2x5" => floor::run(&written, &["W2x5"], (5_000, "steps"), false).await,
        "W3" => floor::run(&written, &["W3"], (2_000, "activities"), false).await,
        "W3x5" => floor::run(&written, &["W3x5"], (10_000, "activities"), false).await,
        "W5" => {
            floor::run(
                &written,
                &["W5 start", "W5 event"],
                (10_000, "instances"),
                true,
            )
            .await
        }
        other => anyhow::bail!("`{other}` has no floor"),
    }
}
