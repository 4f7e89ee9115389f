//! Our own engine: the product's bench executable.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use crate::Parts;

#[derive(Deserialize)]
struct Message {
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Row {
    workload: String,
    seconds: f64,
}

/// Builds it and says where it is.
pub(crate) fn executable() -> anyhow::Result<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([
            "bench",
            "--bench",
            "engine",
            "--no-run",
            "--locked",
            "--message-format=json",
            "--manifest-path",
        ])
        .arg(manifest)
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "our own bench could not be built");
    let text = String::from_utf8(output.stdout)?;
    text.lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok())
        .filter(|message| {
            let target = message.target.as_ref();
            target
                .is_some_and(|it| it.name == "engine" && it.kind.iter().any(|kind| kind == "bench"))
        })
        .find_map(|message| message.executable)
        .context("cargo named no executable of our bench")
}

pub(crate) fn run(executable: &Path, workload: &str, folder: &Path) -> anyhow::Result<Parts> {
    let output = Command::new(executable)
        .args(["--one", workload])
        .arg(folder)
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "{workload} of ours failed");
    let rows: Vec<Row> = serde_json::from_slice(&output.stdout)?;
    Ok(rows
        .into_iter()
        .map(|row| (row.workload, row.seconds))
        .collect())
}
