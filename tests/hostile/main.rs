//! Ten thousand requests of people who mean no good.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod requests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use durable_functions::actix_web;
use durable_functions::actix_web::error::ErrorBadRequest;
use durable_functions::actix_web::http::header::HeaderValue;
use durable_functions::prelude::*;
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use requests::{Attack, attack, stalled};

const ALL: usize = 10_000;
const FIRST: usize = 1_000;
/// Senders that stall while each of the two waves passes.
const STALLED: usize = 200;
const MEMORY: u64 = 20 << 20;

static PANICS: AtomicUsize = AtomicUsize::new(0);

#[derive(Serialize, Deserialize)]
struct Item {
    id: u32,
    text: String,
}

#[http_trigger(auth = "anonymous")]
async fn item(item: Json<Item>) -> Json<Item> {
    item
}

#[http_trigger(auth = "anonymous")]
async fn form(form: Option<Form<Item>>) -> String {
    form.is_some().to_string()
}

#[http_trigger(auth = "anonymous", route = "echo/{*rest}")]
async fn echo(rest: Option<String>, body: Bytes) -> String {
    format!("{rest:?} {}", body.len())
}

#[http_trigger(auth = "anonymous", route = "header/{value}")]
async fn header(value: String) -> actix_web::Result<HttpResponse> {
    let value = HeaderValue::from_str(&value).map_err(ErrorBadRequest)?;
    Ok(HttpResponse::Ok()
        .insert_header(("x-value", value))
        .finish())
}

#[http_trigger]
async fn guarded(body: Bytes) -> String {
    body.len().to_string()
}

#[http_trigger(webhook = "github")]
async fn hook(event: WebhookEvent) -> String {
    event.event
}

#[orchestration_trigger]
async fn nothing(_ctx: OrchestrationContext) {}

/// The status line's number, and whether a header of the attacker's own came back.
async fn send(address: SocketAddr, attack: Attack) -> Option<u16> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    for part in &attack.parts {
        if stream.write_all(part).await.is_err() {
            break;
        }
    }
    // One that is cut off at once has no part at all.
    let first = attack.parts.first().map_or(&[][..], Vec::as_slice);
    answer(stream, first).await
}

/// Sends a part of a request, and no more for now.
async fn stall(address: SocketAddr, number: usize) -> (TcpStream, Vec<u8>) {
    let (first, rest) = stalled(number);
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&first).await.unwrap();
    (stream, rest)
}

async fn answer(mut stream: TcpStream, first: &[u8]) -> Option<u16> {
    let _ = stream.shutdown().await;
    let mut answer = Vec::new();
    let mut stream = stream.take(1 << 20);
    let read = async {
        while !is_whole(&answer) && stream.read_buf(&mut answer).await.unwrap_or(0) > 0 {}
    };
    let read = tokio::time::timeout(Duration::from_secs(30), read).await;
    // Whoever is not read to the end is held for a second, so that there are never more of these than senders; a host that is short of time may
    // forget to let go of one.
    let mut rest = Vec::new();
    let end = stream.read_to_end(&mut rest);
    drop(tokio::time::timeout(Duration::from_secs(3), end).await);
    answer.extend(rest);
    let text = String::from_utf8_lossy(&answer).to_lowercase();
    let sent = String::from_utf8_lossy(first);
    assert!(read.is_ok(), "no end of {text:?}, the answer to {sent:?}");
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    assert!(!head.contains("\r\nx-injected"), "{head}");
    let status = text.split(' ').nth(1)?.parse().ok()?;
    Some(status)
}

/// Whether an answer has arrived, with as many bytes of a body as its head says.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length = length.and_then(|length| length.parse().ok());
    length.is_some_and(|length: usize| body.len() >= length)
}

/// Resident memory of this process, host and attackers together.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_hostile_requests_leave_no_trace() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        usual(info);
    }));
    let folder = tempfile::tempdir().unwrap();
    let host = Host::new()
        .with_script_root(folder.path())
        .with_address("127.0.0.1:0")
        .with_auth(true)
        .with_setting("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT", "65536");
    let host = host.start().await.unwrap();
    let address = host.url().unwrap().socket_addrs(|| None).unwrap()[0];
    let mut statuses: BTreeMap<Option<u16>, usize> = BTreeMap::new();
    let mut after_first = 0;
    for (from, to) in [(0, FIRST), (FIRST, ALL)] {
        let mut waiting = Vec::new();
        for number in from..from + STALLED {
            waiting.push(stall(address, number).await);
        }
        let mut answers = futures::stream::iter(from..to)
            .map(|seed| send(address, attack(seed)))
            .buffer_unordered(256);
        while let Some(status) = answers.next().await {
            *statuses.entry(status).or_default() += 1;
        }
        // All others were answered meanwhile. The host may have given up by now, but whoever it waited for is answered.
        let mut answered = 0;
        for (mut stream, rest) in waiting {
            let _ = stream.write_all(&rest).await;
            let status = answer(stream, &rest).await;
            answered += usize::from(status.is_some());
            *statuses.entry(status).or_default() += 1;
        }
        assert!(
            answered > 0,
            "no sender that stalls is answered: {statuses:?}"
        );
        if from == 0 {
            after_first = resident();
        }
    }
    let grown = resident().saturating_sub(after_first);
    assert_eq!(PANICS.load(Ordering::Relaxed), 0, "{statuses:?}");
    assert!(
        statuses.keys().flatten().all(|status| *status < 500),
        "{statuses:?}"
    );
    assert!(
        grown <= MEMORY,
        "{grown} bytes more than after the first {FIRST}"
    );
    // It really attacked: all kinds of refusals are among the answers.
    for expected in [400, 401, 404, 413, 414] {
        assert!(
            statuses.contains_key(&Some(expected)),
            "{expected}: {statuses:?}"
        );
    }
    let url = host.url().unwrap().join("api/echo/alive").unwrap();
    let alive = durable_functions::reqwest::get(url).await.unwrap();
    assert_eq!(alive.text().await.unwrap(), "Some(\"alive\") 0");
    host.shutdown().await.unwrap();
}

#[tokio::test]
async fn strangers_are_turned_away_before_their_bodies_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let host = Host::new()
        .with_script_root(folder.path())
        .with_address("127.0.0.1:0")
        .with_auth(true);
    let host = host.start().await.unwrap();
    let address = host.url().unwrap().socket_addrs(|| None).unwrap()[0];
    for path in [
        "/api/guarded",
        "/admin/functions/guarded",
        "/admin/host/systemkeys/_master",
        "/runtime/webhooks/durabletask/orchestrators/nothing",
    ] {
        let method = if path.contains("keys") { "PUT" } else { "POST" };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
        );
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        // Not a byte of the body is ever sent.
        let mut answer = [0; 12];
        let read = stream.read_exact(&mut answer);
        let read = tokio::time::timeout(Duration::from_secs(20), read).await;
        assert!(read.is_ok(), "{path}: it waits for the body");
        assert_eq!(&answer, b"HTTP/1.1 401", "{path}");
    }
    host.shutdown().await.unwrap();
}

#[tokio::test]
async fn what_says_that_it_is_too_long_is_refused_before_it_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let host = Host::new()
        .with_script_root(folder.path())
        .with_address("127.0.0.1:0")
        .with_auth(false)
        .with_setting("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT", "1000");
    let host = host.start().await.unwrap();
    let address = host.url().unwrap().socket_addrs(|| None).unwrap()[0];
    let webhooks = "/runtime/webhooks/durabletask";
    for (method, path) in [
        ("POST", "/api/guarded".to_owned()),
        ("POST", format!("{webhooks}/orchestrators/nothing")),
        ("POST", format!("{webhooks}/entities/any/thing")),
        ("POST", "/admin/functions/guarded".to_owned()),
        ("PUT", "/admin/host/systemkeys/mine".to_owned()),
    ] {
        for expect in ["", "Expect: 100-continue\r\n"] {
            let head = format!(
                "{method} {path} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n{expect}Content-Length: 1001\r\n\r\n"
            );
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(head.as_bytes()).await.unwrap();
            // Not a byte of the body is ever sent.
            let mut answer = Vec::new();
            let seen = async {
                while !answer.windows(12).any(|bytes| bytes == b"HTTP/1.1 413") {
                    let byte = stream.read_u8().await;
                    answer.push(byte.unwrap_or_else(|_| {
                        panic!("{path}: {}", String::from_utf8_lossy(&answer))
                    }));
                }
            };
            let seen = tokio::time::timeout(Duration::from_secs(20), seen).await;
            assert!(
                seen.is_ok(),
                "{method} {path} {expect}: it waits for the body"
            );
        }
    }
    host.shutdown().await.unwrap();
}
