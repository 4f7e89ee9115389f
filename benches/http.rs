//! `cargo bench --bench http [-- --json]`: requests a second of a bare actix-web handler, of an anonymous function and of one that asks
//! for its key, in turns, three rounds of each. Client and servers share the machine, so the client's own cost is in every figure.

use std::process::Command;
use std::time::{Duration, Instant};

use actix_web::{App, HttpServer, web};
use anyhow::{Context as _, ensure};
use durable_functions::prelude::*;
use futures::future::try_join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(3);
const WARM_UP: Duration = Duration::from_millis(500);
const CONNECTIONS: usize = 32;
const ANSWER: &str = "Hello!";

#[http_trigger(auth = "anonymous", methods = ["get"], route = "anonymous")]
async fn anonymous() -> HttpResponse {
    HttpResponse::Ok().body(ANSWER)
}

#[http_trigger(auth = "function", methods = ["get"], route = "guarded")]
async fn guarded() -> HttpResponse {
    HttpResponse::Ok().body(ANSWER)
}

/// What is asked again and again.
struct Target {
    name: &'static str,
    address: String,
    request: Vec<u8>,
    rounds: Vec<Round>,
}

#[derive(Debug, Clone, Copy)]
struct Round {
    per_second: f64,
    p50: Duration,
    p99: Duration,
}

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|arg| arg == "keys") {
        return Host::new().run().map_err(anyhow::Error::msg);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let mut targets = runtime.block_on(Box::pin(measure()))?;
    report(&mut targets, args.iter().any(|arg| arg == "--json"))
}

/// The function's key, as this program's own command line tells it.
fn key(root: &std::path::Path) -> anyhow::Result<String> {
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
    let key = keys
        .pointer("/functions/guarded/default")
        .and_then(Value::as_str);
    Ok(key.context("the function `guarded` has no key")?.to_owned())
}

async fn measure() -> anyhow::Result<Vec<Target>> {
    let folder = tempfile::tempdir()?;
    let key = key(folder.path())?;
    let host = Host::new()
        .with_script_root(folder.path())
        .with_address("127.0.0.1:0")
        .start()
        .await
        .map_err(anyhow::Error::msg)?;
    let url = host.url().context("the host does not listen")?;
    let served = url
        .socket_addrs(|| None)?
        .first()
        .context("no address")?
        .to_string();
    let bare = HttpServer::new(|| {
        App::new().route(
            "/api/bare",
            web::get().to(async || HttpResponse::Ok().body(ANSWER)),
        )
    })
    .workers(std::thread::available_parallelism()?.get())
    .disable_signals()
    .bind("127.0.0.1:0")?;
    let bare_address = bare.addrs().first().context("no address")?.to_string();
    let bare = bare.run();
    let handle = bare.handle();
    let bare = tokio::spawn(bare);

    let mut targets = vec![
        Target::new("bare", &bare_address, ""),
        Target::new("anonymous", &served, ""),
        Target::new("guarded", &served, &format!("x-functions-key: {key}\r\n")),
    ];
    refuses(&Target::new("guarded", &served, "")).await?;
    for target in &targets {
        target.round(WARM_UP).await?;
    }
    for _ in 0..ROUNDS {
        for target in &mut targets {
            let round = target.round(ROUND).await?;
            target.rounds.push(round);
        }
    }
    handle.stop(false).await;
    bare.await??;
    host.shutdown().await.map_err(anyhow::Error::msg)?;
    Ok(targets)
}

/// Without a key it is not opened: else nothing is measured.
async fn refuses(target: &Target) -> anyhow::Result<()> {
    let mut connection = Connection::open(target).await?;
    let status = connection.ask(&target.request).await?;
    ensure!(status == 401, "without a key: {status}");
    Ok(())
}

impl Target {
    fn new(name: &'static str, address: &str, headers: &str) -> Self {
        let request =
            format!("GET /api/{name} HTTP/1.1\r\nhost: {address}\r\n{headers}\r\n").into_bytes();
        Self {
            name,
            address: address.to_owned(),
            request,
            rounds: Vec::new(),
        }
    }

    async fn round(&self, length: Duration) -> anyhow::Result<Round> {
        let opened = (0..CONNECTIONS).map(|_| Connection::open(self));
        let connections = try_join_all(opened).await?;
        let began = Instant::now();
        let until = began + length;
        let tasks = connections
            .into_iter()
            .map(|connection| tokio::spawn(connection.keep_asking(self.request.clone(), until)));
        let mut times = Vec::new();
        for task in try_join_all(tasks.collect::<Vec<_>>()).await? {
            times.extend(task?);
        }
        let seconds = began.elapsed().as_secs_f64();
        times.sort_unstable();
        let at = |percent: usize| {
            times
                .get(times.len() * percent / 100)
                .copied()
                .unwrap_or_default()
        };
        Ok(Round {
            per_second: times.len() as f64 / seconds,
            p50: at(50),
            p99: at(99),
        })
    }

    /// The round with the median rate.
    fn median(&mut self) -> Round {
        self.rounds
            .sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
        self.rounds[self.rounds.len() / 2]
    }
}

/// A connection that is kept alive: one request at a time.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(target: &Target) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(&target.address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(4096),
        })
    }

    async fn keep_asking(
        mut self,
        request: Vec<u8>,
        until: Instant,
    ) -> anyhow::Result<Vec<Duration>> {
        let mut times = Vec::with_capacity(1 << 16);
        let mut began = Instant::now();
        while began < until {
            let status = self.ask(&request).await?;
            ensure!(status == 200, "status {status}");
            let ended = Instant::now();
            times.push(ended - began);
            began = ended;
        }
        Ok(times)
    }

    /// Sends a request, reads the whole answer, gives its status.
    async fn ask(&mut self, request: &[u8]) -> anyhow::Result<u16> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await?;
            ensure!(read > 0, "the server closed the connection");
            if let Some((status, length)) = head(&self.buffer)?
                && self.buffer.len() >= length
            {
                return Ok(status);
            }
        }
    }
}

/// Status and whole length of an answer whose head is there.
fn head(answer: &[u8]) -> anyhow::Result<Option<(u16, usize)>> {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = std::str::from_utf8(&answer[..end])?;
    let status = text.get(9..12).context("no status")?.parse()?;
    let length = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length: usize = length.context("no content-length")?.1.trim().parse()?;
    Ok(Some((status, end + 4 + length)))
}

fn report(targets: &mut [Target], as_json: bool) -> anyhow::Result<()> {
    let medians: Vec<(&str, Round)> = targets
        .iter_mut()
        .map(|target| (target.name, target.median()))
        .collect();
    let bare = medians
        .first()
        .context("nothing was measured")?
        .1
        .per_second;
    let us = |time: Duration| time.as_secs_f64() * 1e6;
    if as_json {
        let rows = medians.iter().map(|(name, round)| {
            json!({
                "target": name,
                "requests_per_second": round.per_second,
                "p50_us": us(round.p50),
                "p99_us": us(round.p99),
                "to_bare": round.per_second / bare,
            })
        });
        println!(
            "{}",
            serde_json::to_string_pretty(&rows.collect::<Vec<_>>())?
        );
        return Ok(());
    }
    println!(
        "{CONNECTIONS} connections, {ROUNDS} rounds of {} s, median",
        ROUND.as_secs()
    );
    println!(
        "{:<10} {:>11} {:>8} {:>8} {:>8}",
        "target", "requests/s", "p50 us", "p99 us", "to bare"
    );
    for (name, round) in &medians {
        println!(
            "{name:<10} {:>11.0} {:>8.0} {:>8.0} {:>8.3}",
            round.per_second,
            us(round.p50),
            us(round.p99),
            round.per_second / bare
        );
    }
    Ok(())
}
