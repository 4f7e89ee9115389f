//! W6: a process is killed in the middle of W1, and another takes over.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use durable_runtime::hub::Settings;
use futures::future::try_join_all;

use crate::functions::{begun, chain, halt_after, halted};
use crate::measure::Row;
use crate::workloads::Bench;

const INSTANCES: u64 = 1_000;
const LENGTH: u64 = 5;
/// Activities that end before the kill.
const HALF: u64 = INSTANCES * LENGTH / 2;
/// What the children say when it is time.
const READY: &str = "ready";

/// Kills one process and times the next, from its start to the end of all instances.
pub(crate) fn run(folder: &Path) -> anyhow::Result<Vec<Row>> {
    let mut victim = child("--victim", folder)?;
    hear(&mut victim)?;
    victim.kill().context("kill -9")?;
    victim.wait()?;
    let began = Instant::now();
    let mut heir = child("--heir", folder)?;
    let seconds = {
        hear(&mut heir)?;
        began.elapsed().as_secs_f64()
    };
    let output = heir.wait_with_output()?;
    ensure!(output.status.success(), "the second process failed");
    let mut rows: Vec<Row> = serde_json::from_slice(&output.stdout)?;
    for row in &mut rows {
        row.seconds = seconds;
        row.per_second = row.units as f64 / seconds;
    }
    Ok(rows)
}

fn child(role: &str, folder: &Path) -> anyhow::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([role, "W6"]).arg(folder);
    Ok(command.stdout(Stdio::piped()).spawn()?)
}

/// Waits until it says so. What it says later is left to be read.
fn hear(child: &mut Child) -> anyhow::Result<()> {
    let pipe = child.stdout.take().context("a pipe")?;
    // One byte at a time, so that nothing of the rest is taken.
    let mut reader = BufReader::with_capacity(1, pipe);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    ensure!(line.trim() == READY, "the child said `{}`", line.trim());
    child.stdout = Some(reader.into_inner());
    Ok(())
}

fn say() -> anyhow::Result<()> {
    println!("{READY}");
    Ok(std::io::stdout().flush()?)
}

/// Runs until half of the activities have ended and all starts are acknowledged; then it waits for its end.
pub(crate) async fn victim(folder: &Path) -> anyhow::Result<()> {
    let bench = Bench::open(folder, Settings::default())?;
    halt_after(HALF);
    let starts = (0..INSTANCES).map(async |n| {
        let start = bench.client.start_new::<chain>(LENGTH);
        anyhow::Ok(start.with_instance_id(id(n)).await?)
    });
    try_join_all(starts).await?;
    halted().await;
    say()?;
    std::future::pending().await
}

/// Takes over, and waits for the end of every instance.
pub(crate) async fn heir(folder: &Path) -> anyhow::Result<Vec<Row>> {
    let bench = Bench::open(folder, Settings::default())?;
    let mark = bench.mark();
    let ends = (0..INSTANCES).map(async |n| bench.end(&id(n), LENGTH).await);
    try_join_all(ends).await?;
    say()?;
    let units = (INSTANCES, "instances");
    let mut row = bench.row("W6", units, &mark, Vec::new());
    let again = begun() + HALF - INSTANCES * LENGTH;
    row.notes
        .push(("activities run again".to_owned(), again as f64));
    bench.hub.shutdown().await;
    row.written_bytes = mark.written();
    Ok(vec![row])
}

fn id(n: u64) -> String {
    format!("w6-{n}")
}
