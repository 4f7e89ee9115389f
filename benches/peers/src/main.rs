//! `cargo run --release --features durare,duroxide,dbos [-- [--rounds N] [--ours EXECUTABLE] [W1 ..]]`: the workloads of `benches/engine` on other durable
//! engines, in turns with ours, and how many times as long they take. Run it in this folder.
//!
//! Every commit of every engine is flushed. Ours runs from the product's own bench executable, which is built first unless it is given: the engines' versions
//! of SQLite cannot be linked together, and no dependency of theirs may enter ours. docs/performance.md says what is compared.

#[cfg(feature = "dbos")]
mod dbos;
#[cfg(feature = "durare")]
mod durare;
#[cfg(feature = "duroxide")]
mod duroxide;
mod ours;
#[cfg(feature = "dbos")]
mod postgres;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

const ONE: &str = "--one";
/// For one workload of one engine.
const PATIENCE: Duration = Duration::from_secs(600);
const WORKLOADS: [&str; 5] = ["W1", "W2", "W3", "W4", "W5"];
/// Of W4: clients, and instances of one activity that they start, each when its last one has ended.
const CLIENTS: usize = 16;
const STARTS: usize = 2_000;
const PEERS: &[&str] = &[
    #[cfg(feature = "durare")]
    "durare",
    #[cfg(feature = "duroxide")]
    "duroxide",
    #[cfg(feature = "dbos")]
    "dbos",
];

/// Parts of a workload and their seconds.
type Parts = Vec<(String, f64)>;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [ONE, engine, workload, folder] = args.iter().map(String::as_str).collect::<Vec<_>>()[..]
    {
        return child(engine, workload, Path::new(folder));
    }
    ensure!(
        !PEERS.is_empty(),
        "no peer is built in; expected `--features durare,duroxide,dbos` or some of them"
    );
    let asked = Asked::read(&args)?;
    let ours = match asked.ours {
        Some(path) => path,
        None => ours::executable()?,
    };
    for workload in WORKLOADS {
        if asked.wanted.is_empty() || asked.wanted.iter().any(|name| name == workload) {
            compare(workload, asked.rounds, &ours)?;
        }
    }
    Ok(())
}

/// What the command line says.
struct Asked {
    rounds: usize,
    ours: Option<PathBuf>,
    wanted: Vec<String>,
}

impl Asked {
    fn read(args: &[String]) -> anyhow::Result<Self> {
        let mut asked = Self {
            rounds: 3,
            ours: None,
            wanted: Vec::new(),
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--rounds" => asked.rounds = args.next().context("a number of rounds")?.parse()?,
                "--ours" => asked.ours = Some(args.next().context("a path")?.into()),
                name => {
                    let known = WORKLOADS.contains(&name);
                    ensure!(
                        known,
                        "no workload `{name}`; they are {}",
                        WORKLOADS.join(", ")
                    );
                    asked.wanted.push(name.to_owned());
                }
            }
        }
        ensure!(asked.rounds > 0, "at least one round");
        Ok(asked)
    }
}

/// Runs all engines in turns and prints the medians.
fn compare(workload: &str, rounds: usize, ours: &Path) -> anyhow::Result<()> {
    let mut times: BTreeMap<(&str, String), Vec<f64>> = BTreeMap::new();
    let mut order: Vec<String> = Vec::new();
    for _ in 0..rounds {
        for engine in ["ours"].iter().chain(PEERS) {
            let folder = tempfile::tempdir()?;
            let parts = match *engine {
                "ours" => ours::run(ours, workload, folder.path())?,
                peer => in_child(peer, workload, folder.path())?,
            };
            for (part, seconds) in parts {
                if !order.contains(&part) {
                    order.push(part.clone());
                }
                times.entry((*engine, part)).or_default().push(seconds);
            }
        }
    }
    for part in order {
        let median = |engine: &str| -> Option<f64> {
            let mut all = times
                .iter()
                .find(|((name, of), _)| *name == engine && *of == part)?
                .1
                .clone();
            all.sort_by(f64::total_cmp);
            all.get(all.len() / 2).copied()
        };
        let ours = median("ours").context("our time")?;
        println!("{part:<9} {:<9} {ours:>9.3} s", "ours");
        for peer in PEERS {
            if let Some(seconds) = median(peer) {
                println!(
                    "{:<9} {peer:<9} {seconds:>9.3} s  {:>7.1} x",
                    "",
                    seconds / ours
                );
            }
        }
    }
    Ok(())
}

fn in_child(peer: &str, workload: &str, folder: &Path) -> anyhow::Result<Parts> {
    let output = Command::new(std::env::current_exe()?)
        .args([ONE, peer, workload])
        .arg(folder)
        .stderr(std::process::Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "{workload} of {peer} failed");
    let text = String::from_utf8(output.stdout)?;
    let last = text.lines().last().context("a line of JSON")?;
    Ok(serde_json::from_str(last)?)
}

fn child(engine: &str, workload: &str, folder: &Path) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let parts: Parts = runtime.block_on(async {
        let work = async {
            match engine {
                #[cfg(feature = "durare")]
                "durare" => durare::run(workload, folder).await,
                #[cfg(feature = "duroxide")]
                "duroxide" => duroxide::run(workload, folder).await,
                #[cfg(feature = "dbos")]
                "dbos" => dbos::run(workload, folder).await,
                other => bail!("no engine `{other}` is built in"),
            }
        };
        tokio::time::timeout(PATIENCE, work)
            .await
            .with_context(|| format!("{workload} of {engine} took over {PATIENCE:?}"))?
    })?;
    println!("{}", serde_json::to_string(&parts)?);
    Ok(())
}
