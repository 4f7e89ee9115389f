//! Counting: a walk is done in a process under callgrind, which collects inside [`counted`] alone.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::ONE;

/// Does `work` for each of `items`; only what happens here is counted. Found by its name: there must be no other function that is called so.
#[inline(never)]
pub(crate) fn counted<T>(items: Vec<T>, mut work: impl FnMut(T)) {
    for item in items {
        work(item);
    }
}

/// Whether valgrind is installed.
pub(crate) fn can_count() -> bool {
    let version = Command::new("valgrind").arg("--version").output();
    version.is_ok_and(|output| output.status.success())
}

/// Instructions of one item of the path of that name.
pub(crate) fn each(path: &str) -> anyhow::Result<u64> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("callgrind.out");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no"])
        .arg("--toggle-collect=*instructions*counted*counted*")
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(std::env::current_exe()?)
        .args([ONE, path])
        .output()?;
    ensure!(
        output.status.success(),
        "`{path}` failed under callgrind: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let items: u64 = String::from_utf8(output.stdout)?.trim().parse()?;
    let all = total(&file)?;
    ensure!(
        items > 0 && all > 0,
        "callgrind counted {all} instructions in {items} items of `{path}`"
    );
    Ok(all / items)
}

/// What callgrind's file says at its end.
fn total(file: &Path) -> anyhow::Result<u64> {
    let text = std::fs::read_to_string(file)?;
    let line = text.lines().find_map(|line| line.strip_prefix("totals:"));
    let line = line.context("callgrind has written no totals")?;
    Ok(line.trim().parse()?)
}
