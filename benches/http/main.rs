//! `cargo bench --bench http [-- [--json] [NAME ..]]`: requests a second of a host beside those of a bare actix-web handler, and of HTTP starts
//! beside their floor. docs/performance.md says how to read it.
//!
//! Each is asked in turns, so that what the machine does besides hits all of them; a ratio is the median of the rounds' ratios.
//! Client and servers share the machine: the client's own cost is in every figure.

#[path = "../floor/mod.rs"]
mod bare;
mod connection;
mod floor;
mod functions;
mod key;
mod logged;
mod report;
mod target;

use std::path::{Path, PathBuf};
use std::time::Duration;

use actix_web::{App, HttpServer, web};
use anyhow::{Context as _, ensure};
use durable_functions::prelude::*;
use durable_functions::{Host, RunningHost};

use floor::Floor;
use functions::{ANSWER, one_activity, waits};
use logged::Logged;
use target::Target;

const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_millis(800);
const WARM_UP: Duration = Duration::from_millis(400);
/// Clients of W4.
const CLIENTS: usize = 16;

const BARE: &str = "bare";
const FLOOR: &str = "W4 floor";
const WEBHOOKS: &str = "/runtime/webhooks/durabletask";

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let Some("keys" | "start") = args.first().map(String::as_str) {
        return Host::new().run().map_err(anyhow::Error::msg);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let named: Vec<&str> = args
        .iter()
        .map(String::as_str)
        .filter(|arg| !arg.starts_with("--"))
        .collect();
    let targets = runtime.block_on(Box::pin(measure(&named)))?;
    match args.iter().any(|arg| arg == "--json") {
        true => report::json(&targets),
        false => report::table(&targets),
    }
}

async fn measure(named: &[&str]) -> anyhow::Result<Vec<Target>> {
    let folder = tempfile::tempdir()?;
    let root = |name: &str| -> anyhow::Result<PathBuf> {
        let root = folder.path().join(name);
        std::fs::create_dir(&root)?;
        Ok(root)
    };
    let (own, discarding, keeping) = (root("own")?, root("discarding")?, root("keeping")?);
    let kept = folder.path().join("log");
    let host = Host::new()
        .with_script_root(&own)
        .with_address("127.0.0.1:0")
        .start();
    let host = host.await.map_err(anyhow::Error::msg)?;
    let (running, finished) = instances(&host.client()).await?;
    let floor = Floor::start(folder.path(), &hub(&own)?, &finished).await?;
    let handle = floor.handle();
    let bare = HttpServer::new(move || {
        let answer = async || HttpResponse::Ok().body(ANSWER);
        App::new()
            .app_data(web::Data::new(handle.clone()))
            .route("/api/bare", web::get().to(answer))
            .route("/api/floor", web::post().to(floor::answer))
    })
    .workers(std::thread::available_parallelism()?.get())
    .disable_signals()
    .bind("127.0.0.1:0")?;
    let bare_address = bare.addrs().first().context("no address")?.to_string();
    let bare = bare.run();
    let bare_handle = bare.handle();
    let bare = tokio::spawn(bare);
    let (discarded, logged) = (
        Logged::start(&discarding, Path::new("/dev/null"))?,
        Logged::start(&keeping, &kept)?,
    );

    let mut targets = vec![Target::new(
        (BARE, BARE),
        &bare_address,
        "GET /api/bare",
        "",
        "",
    )];
    targets.extend(of_host(&host, &own, &running, &finished).await?);
    for (name, host) in [
        ("guarded, log to /dev/null", &discarded),
        ("guarded, log to a file", &logged),
    ] {
        let key = header(&host.key);
        targets.push(Target::new(
            (name, BARE),
            &host.address,
            "GET /api/guarded",
            &key,
            "",
        ));
    }
    let floor_of_starts = Target::new((FLOOR, FLOOR), &bare_address, "POST /api/floor", "", "7");
    targets.push(floor_of_starts.over(CLIENTS));
    targets.push(starts(&host, &own)?);
    targets.retain(|target| {
        let wanted = |name: &&str| target.name.contains(*name) || target.beside == target.name;
        named.is_empty() || named.iter().any(wanted)
    });
    ask(&mut targets).await?;

    bare_handle.stop(false).await;
    bare.await??;
    host.shutdown().await.map_err(anyhow::Error::msg)?;
    floor.stop()?;
    discarded.stop(Path::new("/dev/null"))?;
    let lines = logged.stop(&kept)?;
    let answered = targets
        .iter()
        .find(|target| target.name.ends_with("to a file"))
        .map_or(0, |target| target.answered);
    ensure!(
        lines == Some(answered),
        "{answered} requests were answered, and the log tells of {lines:?}"
    );
    Ok(targets)
}

/// Round by round, each target in its turn.
async fn ask(targets: &mut [Target]) -> anyhow::Result<()> {
    for target in &mut *targets {
        target.once().await?;
        target.round(WARM_UP).await?;
    }
    for _ in 0..ROUNDS {
        for target in &mut *targets {
            let round = target.round(ROUND).await?;
            target.rounds.push(round);
        }
    }
    Ok(())
}

/// What the host in this process is asked, but for starts.
async fn of_host(
    host: &RunningHost,
    root: &Path,
    running: &str,
    finished: &str,
) -> anyhow::Result<Vec<Target>> {
    let address = address(host)?;
    let own_key = header(&key::at("/functions/guarded/default", root)?);
    let system_key = header(&key::at(SYSTEM_KEY, root)?);
    let guarded = |key: &str| Target::new(("guarded", BARE), &address, "GET /api/guarded", key, "");
    // Else nothing is measured.
    guarded("").answering(401).once().await?;
    let status = |name, id: &str| {
        let line = format!("GET {WEBHOOKS}/instances/{id}");
        Target::new((name, BARE), &address, &line, &system_key, "")
    };
    Ok(vec![
        Target::new(("anonymous", BARE), &address, "GET /api/anonymous", "", ""),
        guarded(&own_key),
        status("status of a live instance", running).answering(202),
        status("status of a finished one", finished),
    ])
}

/// W4: starts an orchestration and waits for its end within one request, the cheapest way there is.
fn starts(host: &RunningHost, root: &Path) -> anyhow::Result<Target> {
    let key = header(&key::at(SYSTEM_KEY, root)?);
    let line = format!("POST {WEBHOOKS}/orchestrators/one_activity?timeout=60&pollingInterval=1");
    let target = Target::new(("W4", FLOOR), &address(host)?, &line, &key, "7");
    Ok(target.over(CLIENTS))
}

const SYSTEM_KEY: &str = "/systemKeys/durabletask_extension";

fn header(key: &str) -> String {
    format!("x-functions-key: {key}\r\n")
}

fn address(host: &RunningHost) -> anyhow::Result<String> {
    let url = host.url().context("the host does not listen")?;
    let address = url.socket_addrs(|| None)?;
    Ok(address.first().context("no address")?.to_string())
}

/// The one database of the host with this script root.
fn hub(root: &Path) -> anyhow::Result<PathBuf> {
    for entry in root.join(".durable").read_dir()? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "db") {
            return Ok(path);
        }
    }
    anyhow::bail!("there is no hub in {}", root.display())
}

/// An instance that waits for an event, and one that has ended.
async fn instances(client: &DurableClient) -> anyhow::Result<(String, String)> {
    let running = client.start_new::<waits>(()).await?;
    let finished = client.start_new::<one_activity>(7u64).await?;
    let ended = client
        .wait_for_completion(&finished, Duration::from_secs(60))
        .await?;
    ensure!(ended.is_terminal(), "it has not ended");
    Ok((running, finished))
}
