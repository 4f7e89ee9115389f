//! `hub info|backup|check|reset`: the hub's file itself, beside whoever holds it.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use durable_runtime::store::sqlite::{self, HubInfo, OpenError, read_holder};
use serde_json::json;

use super::failure::Failure;
use super::site::Site;
use super::{Global, table};

#[derive(Debug, Subcommand)]
pub(super) enum Hub {
    /// Show where the hub is, who holds it, and what is in it
    Info,
    /// Copy the hub into a new file while it is in use, keys included
    #[command(after_help = BACKUP)]
    Backup {
        /// The file, which must not exist
        file: PathBuf,
    },
    /// Read the whole hub and tell what is wrong with it
    Check,
    /// Remove the hub with all that is in it, keys included
    #[command(after_help = "Example:\n  app hub reset --yes")]
    Reset {
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

const BACKUP: &str = "\
The copy holds every commit made before it was begun. The key file beside the hub, without which its keys
cannot be read, is copied too, as FILE with the ending `.key`. To restore, stop the host and put both in place.

Example:
  app hub backup /var/backups/hub-$(date +%F).db";

pub(super) fn run(command: Hub, site: &Site, global: &Global) -> Result<(), Failure> {
    if global.url.is_some() {
        let text = "`hub` works on the hub's own file and speaks to no host: leave `--url` out, and run it where the file is";
        return Err(Failure::refused(text));
    }
    site.hub_exists()?;
    match command {
        Hub::Info => info(&site.hub, global),
        Hub::Backup { file } => backup(&site.hub, &file),
        Hub::Check => check(&site.hub, global),
        Hub::Reset { yes } => reset(&site.hub, yes),
    }
}

fn info(hub: &Path, global: &Global) -> Result<(), Failure> {
    let holder = read_holder(hub)?;
    let HubInfo {
        bytes,
        schema,
        instances,
        entities,
        ..
    } = sqlite::info(hub)?;
    if global.json {
        let by_status: serde_json::Map<_, _> = instances
            .iter()
            .map(|(status, count)| (status.to_string(), json!(count)))
            .collect();
        return table::print_json(&json!({
            "path": hub, "bytes": bytes, "schema": schema, "holder": holder, "instances": by_status, "entities": entities,
        }));
    }
    let held = holder.map_or_else(
        || "nobody".to_owned(),
        |holder| {
            let url = holder.url.map(|url| format!(" at {url}"));
            format!("process {}{}", holder.pid, url.unwrap_or_default())
        },
    );
    let mut rows = vec![
        ["hub".to_owned(), hub.display().to_string()],
        ["held by".to_owned(), held],
        ["size".to_owned(), size(bytes)],
        ["schema".to_owned(), schema],
    ];
    let counts = instances
        .iter()
        .map(|(status, count)| format!("{count} {status}"));
    let counts = counts.collect::<Vec<_>>().join(", ");
    let none = || "none".to_owned();
    let counts = Some(counts).filter(|counts| !counts.is_empty());
    rows.push(["instances".to_owned(), counts.unwrap_or_else(none)]);
    rows.push(["entities".to_owned(), entities.to_string()]);
    table::print(&table::aligned(&rows))
}

fn size(bytes: u64) -> String {
    let mut unit = ["KiB", "MiB", "GiB", "TiB"].into_iter();
    let (mut whole, mut name) = (bytes, "bytes");
    let mut tenths = 0;
    while whole >= 1024
        && let Some(larger) = unit.next()
    {
        (tenths, whole, name) = (whole % 1024 * 10 / 1024, whole / 1024, larger);
    }
    match name {
        "bytes" => format!("{whole} bytes"),
        _ => format!("{whole}.{tenths} {name}"),
    }
}

fn backup(hub: &Path, file: &Path) -> Result<(), Failure> {
    let (key, key_copy) = (hub.with_extension("key"), file.with_extension("key"));
    if key.exists() && key_copy.exists() {
        return Err(Failure::refused(format!(
            "`{}` exists already: give another file",
            key_copy.display()
        )));
    }
    sqlite::backup(hub, file)?;
    if key.exists() {
        std::fs::copy(&key, &key_copy)?;
        std::fs::File::open(&key_copy)?.sync_all()?;
    }
    table::print(&format!("{}\n", file.display()))
}

fn check(hub: &Path, global: &Global) -> Result<(), Failure> {
    let found = sqlite::check(hub)?;
    if global.json {
        table::print_json(&json!({ "sound": found.is_empty(), "problems": found }))?;
    } else if found.is_empty() {
        table::print("The hub is sound.\n")?;
    }
    match found.is_empty() {
        true => Ok(()),
        false => Err(Failure::refused(format!(
            "the hub `{}` is damaged:\n  {}\nhelp: stop the host and put a backup in its place",
            hub.display(),
            found.join("\n  ")
        ))),
    }
}

fn reset(hub: &Path, yes: bool) -> Result<(), Failure> {
    if let holder @ Some(_) = read_holder(hub)? {
        let path = hub.to_owned();
        return Err(OpenError::Held { path, holder }.into());
    }
    if !yes && !agrees(hub)? {
        return Err(Failure::refused("nothing was removed"));
    }
    Ok(sqlite::reset(hub)?)
}

/// Asks whoever sits there.
fn agrees(hub: &Path) -> Result<bool, Failure> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        let text =
            "this removes every instance, entity and key of the hub: say `--yes` if that is meant";
        return Err(Failure::refused(text));
    }
    let mut out = io::stderr().lock();
    write!(
        out,
        "Remove `{}` with every instance, entity and key in it? [y/N] ",
        hub.display()
    )?;
    out.flush()?;
    let mut line = String::new();
    stdin.lock().read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_told_in_the_largest_unit_that_fits() {
        for (bytes, expected) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (1024, "1.0 KiB"),
            (1_587_609, "1.5 MiB"),
            (u64::MAX, "16777215.9 TiB"),
        ] {
            assert_eq!(size(bytes), expected);
        }
    }
}
