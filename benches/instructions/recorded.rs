//! The counts that were recorded, by toolchain: another compiler makes other code.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, ensure};

/// How much worse than recorded is let pass.
pub(crate) const ALLOWED: f64 = 1.05;

type Counts = BTreeMap<String, u64>;

pub(crate) struct Recorded {
    toolchain: String,
    all: BTreeMap<String, Counts>,
}

impl Recorded {
    /// What the file holds.
    pub(crate) fn read() -> anyhow::Result<Self> {
        let text = match std::fs::read_to_string(file()) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => "{}".to_owned(),
            Err(error) => return Err(error.into()),
        };
        Ok(Self {
            toolchain: toolchain()?,
            all: serde_json::from_str(&text)?,
        })
    }

    pub(crate) fn toolchain(&self) -> &str {
        &self.toolchain
    }

    /// Whether nothing is recorded of this toolchain.
    pub(crate) fn is_empty(&self) -> bool {
        !self.all.contains_key(&self.toolchain)
    }

    /// The count of a path by this toolchain.
    pub(crate) fn of(&self, path: &str) -> Option<u64> {
        self.all.get(&self.toolchain)?.get(path).copied()
    }

    /// Replaces what is recorded of this toolchain.
    pub(crate) fn write(mut self, counts: Counts) -> anyhow::Result<()> {
        self.all.entry(self.toolchain).or_default().extend(counts);
        let text = serde_json::to_string_pretty(&self.all)?;
        Ok(std::fs::write(file(), text + "\n")?)
    }
}

fn file() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "benches", "instructions.json"]
        .iter()
        .collect()
}

/// Release and target of the compiler, as `1.95.0 x86_64-unknown-linux-gnu`.
fn toolchain() -> anyhow::Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output()?;
    ensure!(output.status.success(), "`rustc -vV` failed");
    let text = String::from_utf8(output.stdout)?;
    let said = |name: &str| {
        let mut lines = text.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    };
    let (release, host) = (said("release"), said("host"));
    let (release, host) = release.zip(host).context("`rustc -vV` names no release")?;
    Ok(format!("{release} {host}"))
}
