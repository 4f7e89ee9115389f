//! `cargo bench --bench instructions [-- --record]`: how many instructions hot paths take, counted by callgrind: one thread, no sockets, so
//! that noise does not move the numbers. They are held against `benches/instructions.json`, which has a set for each toolchain; 5 % over
//! what is recorded fails. `--record` writes them there.
//!
//! A path is a file here and a line of [`PATHS`].

mod counted;
mod guarded_request;
#[path = "../http/key.rs"]
mod key;
mod orchestration;
mod recorded;

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use durable_functions::Host;

use recorded::{ALLOWED, Recorded};

/// Each path by the name that it is recorded under, and what walks it.
const PATHS: [(&str, Walk); 2] = [
    ("guarded_request", guarded_request::walk),
    ("orchestration", orchestration::walk),
];

/// Walks a path some times within [`counted::counted`], and says how often.
type Walk = fn() -> anyhow::Result<usize>;

/// Asks this program, under callgrind, to walk one path.
const ONE: &str = "--one";
const RECORD: &str = "--record";

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["keys", ..] => Host::new().run().map_err(anyhow::Error::msg),
        [ONE, name] => {
            let path = PATHS.iter().find(|(path, _)| *path == name);
            let (_, walk) = path.with_context(|| format!("no path is called `{name}`"))?;
            println!("{}", walk()?);
            Ok(())
        }
        _ if !counted::can_count() => {
            println!("valgrind is not installed: nothing was counted");
            Ok(())
        }
        _ => compare(args.iter().any(|arg| arg == RECORD)),
    }
}

fn compare(record: bool) -> anyhow::Result<()> {
    let recorded = Recorded::read()?;
    println!("{}", recorded.toolchain());
    println!(
        "{:<20} {:>12} {:>10} {:>7}",
        "path", "instructions", "recorded", "ratio"
    );
    let mut counts = BTreeMap::new();
    let mut worse = Vec::new();
    for (name, _) in PATHS {
        let each = counted::each(name)?;
        let before = recorded.of(name);
        let ratio = before.map(|before| each as f64 / before as f64);
        let or_none = |shown: Option<String>| shown.unwrap_or_else(|| "-".to_owned());
        println!(
            "{name:<20} {each:>12} {:>10} {:>7}",
            or_none(before.map(|before| before.to_string())),
            or_none(ratio.map(|ratio| format!("{ratio:.3}")))
        );
        worse.extend(ratio.filter(|&ratio| ratio > ALLOWED).map(|_| name));
        counts.insert(name.to_owned(), each);
    }
    if record {
        return recorded.write(counts);
    }
    if recorded.is_empty() {
        println!(
            "nothing is recorded for this toolchain, so nothing is compared; `-- {RECORD}` records it"
        );
    }
    ensure!(
        worse.is_empty(),
        "more than 5 % over what is recorded: {}; find what it was, or record it with `-- {RECORD}` and say why",
        worse.join(", ")
    );
    Ok(())
}
