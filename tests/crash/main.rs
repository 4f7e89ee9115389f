//! A process that is killed with SIGKILL again and again, at random instants: nothing is lost, nothing is done out of turn.
//!
//! The child is this binary, run again. `CRASH_KILLS` (500) says how often it is killed, `CRASH_SEED` when.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in tests a panic is the report; clippy sees that only inside of `#[test]`"
)]

mod child;
mod functions;
mod history;
mod poison;
mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use durable_functions::{DurableClient, EntityQuery, OrchestrationStatus, RuntimeStatus};

use crate::child::OPENED;
use crate::functions::{ACCEPTED, ACCOUNTS, Account, GENERATIONS, expected};
use crate::server::{Seen, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    if std::env::var_os("CRASH_RUN").is_some() {
        child::run().await;
    }
    if std::env::var_os("CRASH_POISON").is_some() {
        poison::run().await;
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

fn spawn(folder: &Path, server: &Server, run: u64, last: bool, speculative: bool) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "child", "--nocapture"])
        .env("CRASH_DIR", folder)
        .env("CRASH_SERVER", &server.url);
    command.env("CRASH_RUN", run.to_string()).stdout(if last {
        Stdio::null()
    } else {
        Stdio::piped()
    });
    if last {
        command.env("CRASH_LAST", "1");
    }
    if speculative {
        command.env("CRASH_SPECULATIVE", "1");
    }
    command.spawn().unwrap()
}

/// The child says so on its standard output.
fn wait_until_opened(child: &mut Child) {
    let said = BufReader::new(child.stdout.take().unwrap());
    let opened = said.lines().any(|line| line.unwrap().contains(OPENED));
    assert!(opened, "the child ended before it had opened the hub");
}

/// The lines of a file, and how often each was written.
fn lines(folder: &Path, file: &str) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for line in std::fs::read_to_string(folder.join(file))
        .unwrap_or_default()
        .lines()
    {
        *counted.entry(line.to_owned()).or_default() += 1;
    }
    counted
}

#[test]
fn nothing_is_lost_over_hundreds_of_kills() {
    kill_again_and_again(setting("CRASH_KILLS").unwrap_or(500), false);
}

/// The same, but for the effects of turns that never were.
#[test]
fn nothing_is_lost_when_activities_start_before_their_turns_are_durable() {
    kill_again_and_again(setting("CRASH_KILLS").unwrap_or(500) / 5, true);
}

fn kill_again_and_again(kills: u64, speculative: bool) {
    let clock = || {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_nanos() as u64
    };
    let seed = setting("CRASH_SEED").unwrap_or_else(clock);
    println!("CRASH_SEED={seed} CRASH_KILLS={kills}");
    let (mut random, began) = (Random(seed), Instant::now());
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start());
    for run in 0..kills {
        let mut child = spawn(folder.path(), &server, run, false, speculative);
        // One in eight while it starts, the others while it works.
        if random.below(8) > 0 {
            wait_until_opened(&mut child);
        }
        std::thread::sleep(Duration::from_millis(random.below(50)));
        let early = child.try_wait().unwrap();
        assert!(early.is_none(), "run {run} ended by itself: {early:?}");
        child.kill().unwrap();
        child.wait().unwrap();
    }
    println!("{kills} kills in {:?}", began.elapsed());
    let mut last = spawn(folder.path(), &server, kills, true, speculative);
    let end = last.wait().unwrap();
    assert!(end.success(), "the last run failed");
    verify(
        folder.path(),
        kills,
        &server.seen.lock().unwrap(),
        speculative,
    );
    println!("all in {:?}", began.elapsed());
}

/// What was moved adds up to nothing, and each transfer was counted once, also by the signals that are due a moment later.
async fn look_at_entities(client: &DurableClient, transfers: i64) {
    let mut sum = 0;
    for n in 0..ACCOUNTS {
        let account = client.read_entity_state::<Account>(format!("a{n}")).await;
        sum += account.unwrap().map_or(0, |account| account.balance);
    }
    assert_eq!(sum, 0, "money was made or lost");
    for key in ["moved", "moved later"] {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let counted = client.read_entity_state::<Account>(key).await.unwrap();
            let counted = counted.map_or(0, |account| account.balance);
            if counted == transfers {
                break;
            }
            assert!(
                counted < transfers && Instant::now() < deadline,
                "{key}: {counted} of {transfers}"
            );
            // No signal tells of a signal that was run.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    let listed = client.list_entities(EntityQuery::new()).await.unwrap();
    for entity in listed.items {
        assert_eq!(entity.locked_by, None, "{entity:?}");
    }
}

/// Opens what is left, and looks at all of it.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn verify(folder: &Path, kills: u64, seen: &Seen, speculative: bool) {
    let host = child::host(folder, speculative).start().await.unwrap();
    let client = host.client();
    let all = child::list(&client).await;
    let by_id: BTreeMap<&str, &OrchestrationStatus> = all
        .iter()
        .map(|status| (&*status.instance_id, status))
        .collect();
    assert_eq!(by_id.len(), all.len(), "an id is listed twice");
    let waves = (0..=kills).flat_map(|n| {
        (0..child::WAVE.len()).map(move |index| child::id_of(&format!("wave{n}"), index, n))
    });
    for id in waves.chain(lines(folder, "acknowledged").into_keys()) {
        assert!(by_id.contains_key(&*id), "{id} is lost");
    }

    // Effects by instance and execution: the ids of the tasks that made them.
    let effects = lines(folder, "effects");
    let mut made: BTreeMap<&str, BTreeMap<&str, BTreeSet<i64>>> = BTreeMap::new();
    for key in effects.keys() {
        let (rest, task) = key.rsplit_once(':').unwrap();
        let (id, execution) = rest.rsplit_once(':').unwrap();
        let tasks = made.entry(id).or_default().entry(execution).or_default();
        tasks.insert(task.parse().unwrap());
    }
    for id in made.keys() {
        assert!(
            by_id.contains_key(id),
            "an effect of {id}, which does not exist"
        );
    }
    let mut ordered = 0;
    for status in &all {
        let id = &*status.instance_id;
        assert_eq!(
            status.runtime_status,
            RuntimeStatus::Completed,
            "{status:?}"
        );
        let n = match status.name.as_str() {
            "generations" => id.rsplit_once('-').unwrap().1.parse().unwrap(),
            _ => status
                .input
                .as_ref()
                .and_then(serde_json::Value::as_u64)
                .unwrap(),
        };
        let output: u64 = status.output_as().unwrap();
        assert_eq!(output, expected(&status.name, n), "{status:?}");
        let parent = status.parent_instance_id.as_deref();
        assert!(
            parent.is_none_or(|parent| by_id.contains_key(parent)),
            "{status:?}"
        );

        let turns = client.events(id).await.unwrap().unwrap();
        let asked = history::check(id, &turns);
        if status.name == "polls" {
            assert_eq!(asked.requests, ACCEPTED + 1, "{id}: {turns:?}");
            ordered += 1;
        }
        let made = made.get(id).unwrap();
        let done = made.get(&*status.execution_id).unwrap();
        if speculative {
            // Nothing that history records was left undone.
            assert!(
                done.is_superset(&asked.activities),
                "{id}: {done:?}; {turns:?}"
            );
        } else {
            // What a turn asks for is done only once the turn is durable: no effect that no history knows.
            assert_eq!(done, &asked.activities, "{id}: {turns:?}");
        }
        let executions = if status.name == "generations" {
            GENERATIONS + 1
        } else {
            1
        };
        assert_eq!(made.len() as u64, executions, "{id}: {made:?}");
    }
    // Whoever had the work done asked for it under one key, however often it was killed.
    assert_eq!(seen.keys.len(), ordered, "{:?}", seen.keys);
    let transfers = all
        .iter()
        .filter(|status| status.name == "transfer")
        .count();
    look_at_entities(&client, transfers as i64).await;
    host.shutdown().await.unwrap();
    let opened = lines(folder, "opened").len();
    let again = effects.values().filter(|count| **count > 1).count();
    println!(
        "{} instances; {opened} of {} runs opened the hub",
        all.len(),
        kills + 1
    );
    println!(
        "{} effects, {again} of them made more than once",
        effects.len()
    );
    let needed = ordered as u64 * (ACCEPTED + 1);
    println!(
        "{ordered} requests were polled for, in {} exchanges; {needed} would have done",
        seen.requests
    );
}
