//! A host in a process of its own, started as `cargo run` starts one: with its log lines, which go to a file.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, ensure};

use crate::key;

pub(crate) struct Logged {
    process: Child,
    pub(crate) address: String,
    pub(crate) key: String,
}

impl Logged {
    /// With its script root in `root`, and its log in `log`.
    pub(crate) fn start(root: &Path, log: &Path) -> anyhow::Result<Self> {
        let key = key::at("/functions/guarded/default", root)?;
        let mut process = Command::new(std::env::current_exe()?)
            .args(["start", "--port", "0", "--script-root"])
            .arg(root)
            .env_remove("RUST_LOG")
            .stdout(Stdio::piped())
            .stderr(File::create(log)?)
            .spawn()?;
        let said = BufReader::new(process.stdout.take().context("no output")?);
        let mut lines = said.lines().map_while(Result::ok);
        let url = lines.find_map(|line| {
            let (_, rest) = line.split_once("guarded: [GET] http://")?;
            Some(rest.split_once('/')?.0.to_owned())
        });
        // Whoever closes it makes the host's next line fail.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self {
            process,
            address: url.context("the host does not say where it listens")?,
            key,
        })
    }

    /// Stops it, and counts the lines of its log that tell of an answer.
    pub(crate) fn stop(mut self, log: &Path) -> anyhow::Result<Option<u64>> {
        let stopped = Command::new("kill")
            .args(["-TERM", &self.process.id().to_string()])
            .status()?;
        ensure!(stopped.success() && self.process.wait()?.success());
        if !log.metadata()?.is_file() {
            return Ok(None);
        }
        let lines = BufReader::new(File::open(log)?).lines();
        let mut count = 0;
        for line in lines {
            count += u64::from(line?.contains("guarded answered"));
        }
        Ok(Some(count))
    }
}
