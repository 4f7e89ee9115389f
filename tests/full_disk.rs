//! A disk that takes no more: clear answers, nothing lost, and all goes on once there is room.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use durable_functions::reqwest::{Client, Response};
use serde_json::Value;

const MANAGE: &str = "/runtime/webhooks/durabletask";

/// The example as `cargo test` built it beside this binary.
fn program() -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let built = this.parent().unwrap().parent().unwrap();
    built.join("examples/hello_cities")
}

struct Host {
    child: Child,
    base: String,
    key: String,
    http: Client,
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Host {
    fn start(root: &Path) -> Self {
        // A file that may not grow is then an error of the write, as a full disk is, instead of the end of the process.
        let mut child = Command::new("sh")
            .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
            .arg(program())
            .arg("--script-root")
            .arg(root)
            .args(["--port", "0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let line = lines.find(|line| line.starts_with("Management: ")).unwrap();
        let base = line
            .trim_start_matches("Management: ")
            .split("/runtime")
            .next()
            .unwrap()
            .to_owned();
        let listed = Command::new(program())
            .arg("--script-root")
            .arg(root)
            .args(["keys", "list", "--json"])
            .output();
        let keys: Value = serde_json::from_slice(&listed.unwrap().stdout).unwrap();
        let key = keys["masterKey"].as_str().unwrap().to_owned();
        // Installs the TLS provider, as in every program that serves.
        drop(durable_functions::Host::new());
        Self {
            child,
            base,
            key,
            http: Client::new(),
        }
    }

    /// No file of the host may be larger than this from now on.
    fn limit(&self, bytes: &str) {
        let pid = self.child.id().to_string();
        let limited = Command::new("prlimit")
            .args(["--pid", &pid, &format!("--fsize={bytes}:unlimited")])
            .status();
        assert!(limited.unwrap().success());
    }

    async fn post(&self, path: &str, body: String) -> Response {
        let request = self.http.post(format!("{}{path}", self.base));
        let request = request
            .header("x-functions-key", &self.key)
            .header("content-type", "application/json");
        request.body(body).send().await.unwrap()
    }

    async fn status(&self, id: &str) -> Value {
        let request = self.http.get(format!(
            "{}{MANAGE}/instances/{id}?showInput=false",
            self.base
        ));
        request
            .header("x-functions-key", &self.key)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    async fn start_instance(&self, id: &str, bytes: usize) -> Response {
        let path = format!("{MANAGE}/orchestrators/hello_cities/{id}");
        self.post(&path, format!("\"{}\"", "x".repeat(bytes))).await
    }
}

#[tokio::test]
async fn a_full_disk_is_503_and_nothing_is_lost() {
    if Command::new("prlimit").arg("--version").output().is_err() {
        eprintln!("SKIPPED: `prlimit` (util-linux) is missing, which fills the disk");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let host = Host::start(folder.path());
    let mut accepted = Vec::new();
    for index in 0..3 {
        let id = format!("before{index}");
        assert_eq!(host.start_instance(&id, 100).await.status(), 202);
        accepted.push(id);
    }
    host.limit("600000");
    let mut refused = None;
    for index in 0..50 {
        let id = format!("full{index}");
        let answer = host.start_instance(&id, 50_000).await;
        match answer.status().as_u16() {
            202 => accepted.push(id),
            503 => {
                refused = Some((id, answer.json::<Value>().await.unwrap()));
                break;
            }
            other => panic!("{other}: {}", answer.text().await.unwrap()),
        }
    }
    let (id, body) = refused.unwrap_or_else(|| panic!("it never was full"));
    let why = body["ExceptionMessage"].as_str().unwrap();
    assert!(why.contains("disk"), "{why}");
    // A function that starts instances says so as well, in plain words.
    let own = host
        .post(
            "/api/orchestrators/hello_cities",
            format!("\"{}\"", "x".repeat(50_000)),
        )
        .await;
    assert_eq!(own.status(), 503);
    assert!(own.text().await.unwrap().contains("disk"));
    // What is stored can still be read.
    assert_eq!(host.status("before0").await["instanceId"], "before0");
    let missing = host
        .http
        .get(format!("{}{MANAGE}/instances/{id}", host.base))
        .header("x-functions-key", &host.key);
    assert_eq!(
        missing.send().await.unwrap().status(),
        404,
        "what was refused is not there"
    );
    host.limit("unlimited");
    let deadline = Instant::now() + Duration::from_secs(60);
    while host.start_instance(&id, 50_000).await.status() != 202 {
        assert!(Instant::now() < deadline, "it never takes work again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    accepted.push(id);
    for id in accepted {
        loop {
            let status = host.status(&id).await;
            if status["runtimeStatus"] == "Completed" {
                break;
            }
            assert!(Instant::now() < deadline, "{status}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
