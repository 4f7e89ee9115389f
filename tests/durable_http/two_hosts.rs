//! The examples, each in a process of its own: one host has work done by another, and is killed while it waits.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use durable_functions::reqwest::{Client, Response};
use durable_functions::url::Url;
use serde_json::{Value, json};

struct Process {
    child: Child,
    base: Url,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    /// The example as `cargo test` built it beside this binary.
    fn start(example: &str, root: &Path) -> Self {
        let this = std::env::current_exe().unwrap();
        let examples = this.parent().unwrap().parent().unwrap().join("examples");
        let mut child =
            Command::new(examples.join(format!("{example}{}", std::env::consts::EXE_SUFFIX)))
                .arg("--script-root")
                .arg(root)
                .args(["--port", "0", "--no-auth"])
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok);
        let line = lines
            .find(|line| line.contains("/runtime/webhooks"))
            .expect("it serves");
        let url = line
            .split_whitespace()
            .find(|word| word.starts_with("http://"))
            .unwrap();
        Self {
            child,
            base: Url::parse(url).unwrap().join("/").unwrap(),
        }
    }

    fn url(&self, path: &str) -> String {
        self.base.join(path).unwrap().into()
    }

    /// The host's, whatever port it had when the link was made.
    fn link(&self, url: &str) -> String {
        let mut url = Url::parse(url).unwrap();
        url.set_port(self.base.port()).unwrap();
        url.into()
    }
}

fn client() -> Client {
    // Installs the TLS provider, as in every program that serves.
    drop(durable_functions::Host::new());
    Client::new()
}

async fn post(client: &Client, url: &str, body: &Value) -> Response {
    client
        .post(url)
        .body(body.to_string())
        .send()
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn caller_that_is_killed_while_it_waits_goes_on_asking() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let worker = Process::start("async_http_api", there.path());
    let mut caller = Process::start("durable_http", here.path());
    let client = client();
    let work = worker.url("/api/own/3");
    let begun: Value = post(&client, &caller.url("/api/commissions"), &json!(work))
        .await
        .json()
        .await
        .unwrap();
    let link = begun["statusQueryGetUri"].as_str().unwrap().to_owned();
    let instances = worker.url("/runtime/webhooks/durabletask/instances");
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let all: Value = client
            .get(&instances)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        if !all.as_array().unwrap().is_empty() {
            break;
        }
        assert!(Instant::now() < deadline, "the work never began");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for _ in 0..2 {
        drop(caller);
        caller = Process::start("durable_http", here.path());
    }
    let status: Value = loop {
        let response = client.get(caller.link(&link)).send().await.unwrap();
        if response.status() == 200 {
            break response.json().await.unwrap();
        }
        assert!(Instant::now() < deadline, "never done");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let result = json!(["page 1", "page 2", "page 3"]);
    assert_eq!(
        status["output"],
        json!({ "currentStatus": "Completed", "result": result }),
        "{status}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_forms_of_the_pattern() {
    let root = tempfile::tempdir().unwrap();
    let host = Process::start("async_http_api", root.path());
    let client = client();
    let header = |response: &Response, name: &str| {
        let value = response.headers().get(name);
        value
            .map(|value| value.to_str().unwrap().to_owned())
            .unwrap_or_default()
    };

    let full = post(&client, &host.url("/api/full/0"), &Value::Null).await;
    assert_eq!(full.status(), 202);
    let location = header(&full, "location");
    let payload: Value = full.json().await.unwrap();
    assert_eq!(payload["statusQueryGetUri"], location.as_str());
    assert!(payload["terminatePostUri"].is_string());

    let own = post(&client, &host.url("/api/own/1"), &Value::Null).await;
    assert_eq!(
        (own.status().as_u16(), header(&own, "retry-after").as_str()),
        (202, "1")
    );
    let location = header(&own, "location");
    assert!(
        location.starts_with("/api/status/") && !location.contains("code="),
        "{location}"
    );
    let early = client.get(host.url(&location)).send().await.unwrap();
    assert_eq!(
        (early.status().as_u16(), header(&early, "location")),
        (202, location)
    );
    assert_eq!(early.json::<Value>().await.unwrap()["result"], Value::Null);
    let unknown = client
        .get(host.url("/api/status/nobody"))
        .send()
        .await
        .unwrap();
    assert_eq!(unknown.status(), 404);

    let in_time = post(&client, &host.url("/api/wait/0/30"), &Value::Null).await;
    assert_eq!(
        (
            in_time.status().as_u16(),
            in_time.text().await.unwrap().as_str()
        ),
        (200, "[]")
    );
    let too_long = post(&client, &host.url("/api/wait/60/1"), &Value::Null).await;
    assert_eq!(too_long.status(), 202);
    assert!(header(&too_long, "location").contains("/runtime/webhooks/durabletask/instances/"));
}
