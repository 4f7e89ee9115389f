//! Keys of this program's own functions, as its own command line tells them.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde_json::Value;

/// The key at that place of `keys list --json`, of the host that has `root` as its script root.
pub(crate) fn at(pointer: &str, root: &Path) -> anyhow::Result<String> {
    let output = Command::new(std::env::current_exe()?)
        .args(["keys", "list", "--json", "--script-root"])
        .arg(root)
        .output()?;
    ensure!(
        output.status.success(),
        "no keys: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let keys: Value = serde_json::from_slice(&output.stdout)?;
    let key = keys.pointer(pointer).and_then(Value::as_str);
    let key = key.with_context(|| format!("there is no key at `{pointer}`"))?;
    Ok(key.to_owned())
}
