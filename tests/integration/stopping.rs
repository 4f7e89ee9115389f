//! What signals do to a host that is at work, from outside.

use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::{Host, MANAGE};

/// A host whose orchestrator waits for a server that answers when the test says so, and a client that waits for the orchestrator.
struct AtWork {
    host: Host,
    request: TcpStream,
    client: JoinHandle<(u16, Value)>,
}

fn start(root: &Path) -> Host {
    let program = crate::program().with_file_name("durable_http");
    let mut command = Command::new(program);
    command
        .arg("--script-root")
        .arg(root)
        .args(["--port", "0", "--no-auth"])
        .env_remove("AZURE_FUNCTIONS_ENVIRONMENT");
    Host::spawn(command, Stdio::null())
}

/// A request that has arrived, and is not answered yet.
async fn arrived(server: &TcpListener) -> TcpStream {
    let (mut request, _) = server.accept().await.unwrap();
    assert!(request.read(&mut [0; 4096]).await.unwrap() > 0);
    request
}

async fn answer(mut request: TcpStream, status: &str, body: &str) {
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    request.write_all(text.as_bytes()).await.unwrap();
}

impl AtWork {
    async fn begin(root: &Path, server: &TcpListener) -> Self {
        let host = start(root);
        let (http, url) = (host.http.clone(), server.local_addr().unwrap());
        let start = format!(
            "{}{MANAGE}/orchestrators/commission/one?timeout=3000&pollingInterval=1",
            host.base
        );
        let client = tokio::spawn(async move {
            let body = json!(format!("http://{url}/")).to_string();
            let request = http.post(start).header("content-type", "application/json");
            let response = request.body(body).send().await.unwrap();
            let status = response.status().as_u16();
            (status, response.json().await.unwrap())
        });
        let request = arrived(server).await;
        Self {
            host,
            request,
            client,
        }
    }
}

fn signal(host: &Host) {
    let mut kill = Command::new("kill");
    let sent = kill.arg(host.child.id().to_string()).status();
    assert!(sent.unwrap().success());
}

async fn end_of(mut host: Host) -> ExitStatus {
    let ended = tokio::task::spawn_blocking(move || host.child.wait().unwrap());
    ended.await.unwrap()
}

#[tokio::test]
async fn a_stopping_host_lets_waiting_clients_go_finishes_what_runs_and_begins_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let work = AtWork::begin(folder.path(), &server).await;
    signal(&work.host);
    // While the request is still unanswered: the client is not kept until all is over.
    let (status, links) = work.client.await.unwrap();
    assert_eq!((status, &links["id"]), (202, &json!("one")));
    // The orchestrator tries again after a second, which is for the next host.
    answer(work.request, "500 Internal Server Error", "{}").await;
    assert_eq!(end_of(work.host).await.code(), Some(0));

    let again = start(folder.path());
    answer(arrived(&server).await, "200 OK", "\"made\"").await;
    let (status, ended) = again
        .poll(&format!("{}{MANAGE}/instances/one", again.base))
        .await;
    assert_eq!((status, &ended["output"]), (200, &json!("made")));
}

#[tokio::test]
async fn a_stop_is_over_when_the_grace_period_is_and_what_it_cut_off_is_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let grace =
        json!({"version": "2.0", "extensions": {"durableTask": {"gracePeriodInSeconds": 1}}});
    std::fs::write(folder.path().join("host.json"), grace.to_string()).unwrap();
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let work = AtWork::begin(folder.path(), &server).await;
    signal(&work.host);
    assert_eq!(work.client.await.unwrap().0, 202);
    // Never answered.
    assert_eq!(end_of(work.host).await.code(), Some(0));
    let _again = start(folder.path());
    drop(arrived(&server).await);
    drop(work.request);
}

#[tokio::test]
async fn a_second_signal_stops_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let forever =
        json!({"version": "2.0", "extensions": {"durableTask": {"gracePeriodInSeconds": 3600}}});
    std::fs::write(folder.path().join("host.json"), forever.to_string()).unwrap();
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let work = AtWork::begin(folder.path(), &server).await;
    signal(&work.host);
    // Answered by the stop, so the first signal has arrived.
    assert_eq!(work.client.await.unwrap().0, 202);
    signal(&work.host);
    assert_eq!(end_of(work.host).await.code(), Some(1));
    let _again = start(folder.path());
    drop(arrived(&server).await);
    drop(work.request);
}
