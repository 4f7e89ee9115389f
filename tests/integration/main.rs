//! The first page of the README, from outside: the example's own binary, its command line, and HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

mod notifications;
#[cfg(unix)]
mod stopping;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use durable_functions::reqwest::{Client, Method, Response, header::HeaderMap};
use serde_json::Value;

const START: &str = "/api/orchestrators/hello_cities";
const MANAGE: &str = "/runtime/webhooks/durabletask";

/// The example as `cargo test` built it beside this binary.
fn program() -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let name = format!("hello_cities{}", std::env::consts::EXE_SUFFIX);
    this.parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples")
        .join(name)
}

fn command(root: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(program());
    command
        .arg("--script-root")
        .arg(root)
        .args(args)
        .env_remove("AZURE_FUNCTIONS_ENVIRONMENT");
    command
}

fn tool(root: &Path, args: &[&str]) -> Output {
    command(root, args).output().unwrap()
}

/// A host in a process of its own; killed when dropped.
struct Host {
    child: Child,
    base: String,
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
        Self::start_on(root, 0)
    }

    fn start_on(root: &Path, port: u16) -> Self {
        Self::spawn(command(root, &["--port", &port.to_string()]), Stdio::null())
    }

    fn spawn(mut command: Command, log: Stdio) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let line = lines
            .into_iter()
            .find(|line| line.starts_with("Management: "))
            .expect("it serves");
        let base = line
            .trim_start_matches("Management: ")
            .split("/runtime")
            .next()
            .unwrap()
            .to_owned();
        // Installs the TLS provider, as in every program that serves.
        drop(durable_functions::Host::new());
        Self {
            child,
            base,
            http: Client::new(),
        }
    }

    async fn ask(&self, method: Method, path: &str, key: Option<&str>) -> Response {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(key) = key {
            request = request.header("x-functions-key", key);
        }
        request.send().await.unwrap()
    }

    async fn status(&self, method: Method, path: &str, key: Option<&str>) -> u16 {
        self.ask(method, path, key).await.status().as_u16()
    }

    /// Polls the URL as clients do, until it is no longer 202.
    async fn poll(&self, url: &str) -> (u16, Value) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let response = self.http.get(url).send().await.unwrap();
            let status = response.status().as_u16();
            if status != 202 {
                return (status, response.json().await.unwrap());
            }
            assert_eq!(header(response.headers(), "retry-after"), "5");
            assert_eq!(header(response.headers(), "location"), url);
            assert!(Instant::now() < deadline, "never done");
        }
    }
}

fn header(headers: &HeaderMap, name: &str) -> String {
    headers
        .get(name)
        .map(|value| value.to_str().unwrap().to_owned())
        .unwrap_or_default()
}

fn keys(root: &Path) -> Value {
    serde_json::from_slice(&tool(root, &["keys", "list", "--json"]).stdout).unwrap()
}

fn text(value: &Value, path: &str) -> String {
    value
        .pointer(path)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("no {path} in {value}"))
        .to_owned()
}

#[tokio::test]
async fn start_poll_and_keys_are_as_the_reference_has_them() {
    let folder = tempfile::tempdir().unwrap();
    let host = Host::start(folder.path());
    let keys = keys(folder.path());
    let own = text(&keys, "/functions/http_start/default");
    let system = text(&keys, "/systemKeys/durabletask_extension");
    for (key, expected) in [
        (None, 401),
        (Some("wrong"), 401),
        (Some(&*system), 401),
        (Some(&*own), 202),
        (Some(&*text(&keys, "/functionKeys/default")), 202),
        (Some(&*text(&keys, "/masterKey")), 202),
    ] {
        assert_eq!(
            host.status(Method::POST, START, key).await,
            expected,
            "{expected}"
        );
    }
    assert_eq!(
        host.status(Method::POST, &format!("{START}?code={own}"), None)
            .await,
        202
    );
    assert_eq!(
        host.status(Method::POST, &format!("{START}?code={own}"), Some("wrong"))
            .await,
        401
    );
    assert_eq!(host.status(Method::GET, START, Some(&own)).await, 404);
    let started = host.ask(Method::POST, START, Some(&own)).await;
    assert_eq!(header(started.headers(), "retry-after"), "10");
    let location = header(started.headers(), "location");
    let payload: Value = started.json().await.unwrap();
    assert_eq!(text(&payload, "/statusQueryGetUri"), location);
    assert_eq!(payload.as_object().unwrap().len(), 9);
    let (status, body) = host.poll(&location).await;
    assert_eq!(
        (status, text(&body, "/runtimeStatus")),
        (200, "Completed".to_owned())
    );
    assert_eq!(
        body["output"],
        serde_json::json!(["Hello Tokyo!", "Hello Seattle!", "Hello London!"])
    );
}

#[tokio::test]
async fn management_asks_for_its_own_key() {
    let folder = tempfile::tempdir().unwrap();
    let host = Host::start(folder.path());
    let keys = keys(folder.path());
    let list = format!("{MANAGE}/instances");
    let (system, master) = (
        text(&keys, "/systemKeys/durabletask_extension"),
        text(&keys, "/masterKey"),
    );
    let (host_key, own) = (
        text(&keys, "/functionKeys/default"),
        text(&keys, "/functions/http_start/default"),
    );
    for (key, expected) in [
        (None, 401),
        (Some(&own), 401),
        (Some(&host_key), 403),
        (Some(&system), 200),
        (Some(&master), 200),
    ] {
        assert_eq!(
            host.status(Method::GET, &list, key.map(|key| &**key)).await,
            expected
        );
    }
    let new = format!("{MANAGE}/orchestrators/hello_cities/mine");
    assert_eq!(host.status(Method::POST, &new, Some(&system)).await, 202);
    host.poll(&format!("{}{list}/mine?code={system}", host.base))
        .await;
    assert_eq!(
        host.status(
            Method::POST,
            &format!("{list}/mine/terminate?reason=x"),
            Some(&system)
        )
        .await,
        410
    );
    assert_eq!(
        host.status(Method::DELETE, &format!("{list}/mine"), Some(&system))
            .await,
        200
    );
    assert_eq!(
        host.status(Method::GET, &format!("{list}/mine"), Some(&system))
            .await,
        404
    );
    let unknown = host
        .ask(
            Method::POST,
            &format!("{MANAGE}/orchestrators/nope"),
            Some(&system),
        )
        .await;
    assert_eq!(unknown.status().as_u16(), 400);
    let unknown: Value = unknown.json().await.unwrap();
    assert!(
        text(&unknown, "/ExceptionMessage").starts_with("The function 'nope' doesn't exist"),
        "{unknown}"
    );
}

#[tokio::test]
async fn a_renewed_key_reaches_the_running_host_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let host = Host::start(folder.path());
    let old = text(&keys(folder.path()), "/functions/http_start/default");
    let renewed = tool(
        folder.path(),
        &["keys", "renew", "--function", "http_start"],
    );
    assert!(
        renewed.status.success(),
        "{}",
        String::from_utf8_lossy(&renewed.stderr)
    );
    let new = String::from_utf8(renewed.stdout).unwrap().trim().to_owned();
    assert_eq!(host.status(Method::POST, START, Some(&old)).await, 401);
    assert_eq!(host.status(Method::POST, START, Some(&new)).await, 202);
}

#[tokio::test]
async fn a_killed_host_goes_on_and_a_second_one_is_told_who_holds_the_hub() {
    let folder = tempfile::tempdir().unwrap();
    let host = Host::start(folder.path());
    let started = tool(
        folder.path(),
        &["instances", "start", "hello_cities", "--id", "kept"],
    );
    assert!(
        started.status.success(),
        "{}",
        String::from_utf8_lossy(&started.stderr)
    );
    let second = tool(folder.path(), &["--port", "0"]);
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(1));
    assert!(said.contains(&host.child.id().to_string()), "{said}");
    drop(host);
    let host = Host::start(folder.path());
    let system = text(&keys(folder.path()), "/systemKeys/durabletask_extension");
    let (status, body) = host
        .poll(&format!(
            "{}{MANAGE}/instances/kept?code={system}",
            host.base
        ))
        .await;
    assert_eq!(
        (status, text(&body, "/runtimeStatus")),
        (200, "Completed".to_owned())
    );
}

#[tokio::test]
async fn a_hub_is_looked_after_while_a_host_holds_it() {
    let folder = tempfile::tempdir().unwrap();
    let host = Host::start(folder.path());
    let ok = |args: &[&str]| {
        let output = tool(folder.path(), args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    };
    let before = keys(folder.path());
    ok(&["instances", "start", "hello_cities", "--id", "kept"]);
    let url = format!("{}{MANAGE}/instances/kept?code=", host.base);
    host.poll(&format!(
        "{url}{}",
        text(&before, "/systemKeys/durabletask_extension")
    ))
    .await;
    let exported: Value = serde_json::from_str(&ok(&["instances", "export", "kept"])).unwrap();
    assert_eq!(text(&exported, "/0/1/ExecutionStarted/instance_id"), "kept");
    assert!(ok(&["hub", "check"]).contains("sound"));
    let info: Value = serde_json::from_str(&ok(&["hub", "info", "--json"])).unwrap();
    assert_eq!(info["instances"]["Completed"], 1);
    assert_eq!(info["holder"]["pid"], host.child.id());
    let copy = folder.path().join("restored/.durable/copy.db");
    ok(&["hub", "backup", copy.to_str().unwrap()]);
    let again = tool(folder.path(), &["hub", "backup", copy.to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(1));
    let refused = tool(folder.path(), &["hub", "reset", "--yes"]);
    assert_eq!(refused.status.code(), Some(1));
    drop(host);

    let unasked = tool(folder.path(), &["hub", "reset"]);
    assert_eq!(unasked.status.code(), Some(1));
    ok(&["hub", "reset", "--yes"]);
    let listed = tool(folder.path(), &["instances", "list", "--json"]);
    let said = String::from_utf8_lossy(&listed.stderr).into_owned();
    assert_eq!(listed.status.code(), Some(1));
    assert!(said.contains("there is no hub here"), "{said}");

    let restored = folder.path().join("restored");
    let setting = |args: &[&str]| {
        command(&restored, args)
            .env("AzureWebJobsStorage", "sqlite://.durable/copy.db")
            .output()
            .unwrap()
    };
    let found = setting(&["instances", "get", "kept", "--json"]);
    let found: Value = serde_json::from_slice(&found.stdout).unwrap();
    assert_eq!(text(&found, "/runtimeStatus"), "Completed");
    let after: Value =
        serde_json::from_slice(&setting(&["keys", "list", "--json"]).stdout).unwrap();
    assert_eq!(after, before);
}

#[cfg(unix)]
#[test]
fn a_stopped_host_exits_0() {
    let folder = tempfile::tempdir().unwrap();
    let mut host = Host::start(folder.path());
    let killed = Command::new("kill")
        .arg(host.child.id().to_string())
        .status()
        .unwrap();
    assert!(killed.success());
    assert_eq!(host.child.wait().unwrap().code(), Some(0));
}

/// Keys as another application has them, in a folder as Functions keeps it.
#[test]
fn keys_of_an_existing_application_are_imported() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = folder.path().join("secrets");
    std::fs::create_dir(&secrets).unwrap();
    let file = |name: &str, text: &str| std::fs::write(secrets.join(name), text).unwrap();
    file(
        "host.json",
        r#"{"masterKey":{"name":"master","value":"m-1"},"functionKeys":[{"name":"default","value":"h-1"}]}"#,
    );
    file(
        "http_start.json",
        r#"{"keys":[{"name":"default","value":"f-1"},{"name":"partner","value":"f-2"}]}"#,
    );
    file("gone.json", r#"{"key":"g-1"}"#);
    file("host.snapshot.2020-01-01.json", "{");
    let import = |from: &str| tool(folder.path(), &["keys", "import", from]);
    let imported = import(secrets.to_str().unwrap());
    let said = String::from_utf8_lossy(&imported.stderr).into_owned();
    assert!(
        imported.status.success() && said.contains("`gone`"),
        "{said}"
    );
    let found = keys(folder.path());
    for (path, expected) in [
        ("/masterKey", "m-1"),
        ("/functionKeys/default", "h-1"),
        ("/functions/http_start/partner", "f-2"),
    ] {
        assert_eq!(text(&found, path), expected);
    }
    file(
        "http_start.json",
        r#"{"keys":[{"name":"default","value":"CfDJ8","encrypted":true}]}"#,
    );
    let refused = import(secrets.to_str().unwrap());
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        said.contains("http_start.json") && said.contains("encrypted"),
        "{said}"
    );
    assert_eq!(import("nowhere").status.code(), Some(1));
}

#[tokio::test]
async fn keys_are_imported_into_a_host_that_runs() {
    let folder = tempfile::tempdir().unwrap();
    let host = Host::start(folder.path());
    let file = folder.path().join("keys.json");
    let all = r#"{"masterKey":"m-1","functionKeys":{"default":"h-1"},"functions":{"http_start":{"default":"f-1"}}}"#;
    std::fs::write(&file, all).unwrap();
    let imported = tool(
        folder.path(),
        &["keys", "import", file.to_str().unwrap(), "--json"],
    );
    assert_eq!(
        String::from_utf8_lossy(&imported.stdout),
        "{\"imported\":3,\"skipped\":0}\n"
    );
    for key in ["m-1", "h-1", "f-1"] {
        assert_eq!(
            host.status(Method::POST, START, Some(key)).await,
            202,
            "{key}"
        );
    }
}

#[tokio::test]
async fn a_restart_is_a_new_start_in_the_same_place() {
    let folder = tempfile::tempdir().unwrap();
    // A port that stays the same, so that there is one to ask again.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let host = Host::start_on(folder.path(), port);
    let master = text(&keys(folder.path()), "/masterKey");
    let started = host
        .ask(Method::GET, "/admin/host/status", Some(&master))
        .await;
    let before: Value = started.json().await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let asked = Instant::now();
    assert_eq!(
        host.status(Method::POST, "/admin/host/restart", Some(&master))
            .await,
        200
    );
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let request = host.http.get(format!("{}/admin/host/status", host.base));
        let answer = request.header("x-functions-key", &master).send().await;
        if let Ok(answer) = answer
            && let Ok(after) = answer.json::<Value>().await
            && u128::from(after["processUptime"].as_u64().unwrap()) < asked.elapsed().as_millis()
        {
            // The same process, so that whoever watches it sees no end.
            assert_eq!(before["instanceId"], after["instanceId"]);
            break;
        }
        assert!(Instant::now() < deadline, "never back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn a_host_elsewhere_is_not_told_the_key_of_this_hub() {
    use std::io::{Read as _, Write as _};
    let folder = tempfile::tempdir().unwrap();
    let master = text(&keys(folder.path()), "/masterKey");
    for (given, sent) in [(None, false), (Some("its own"), true)] {
        let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", elsewhere.local_addr().unwrap());
        let heard = std::thread::spawn(move || {
            let (mut stream, _) = elsewhere.accept().unwrap();
            let mut head = vec![0; 4096];
            let read = stream.read(&mut head).unwrap();
            let refusal = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(refusal.as_bytes()).unwrap();
            String::from_utf8_lossy(&head[..read]).into_owned()
        });
        let mut command = command(folder.path(), &["instances", "list", "--url", &url]);
        command.stdin(Stdio::null());
        match given {
            Some(key) => command.env("DURABLE_FUNCTIONS_MASTER_KEY", key),
            None => command.env_remove("DURABLE_FUNCTIONS_MASTER_KEY"),
        };
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert_eq!(
            said.contains("DURABLE_FUNCTIONS_MASTER_KEY"),
            !sent,
            "{said}"
        );
        let heard = heard.join().unwrap();
        assert!(!heard.contains(&master), "it was told");
        assert_eq!(heard.contains("its own"), sent, "{heard}");
    }
}

#[test]
fn shells_complete_its_commands() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = tool(folder.path(), &["completions", shell]);
        let text = String::from_utf8_lossy(&script.stdout).into_owned();
        assert!(
            script.status.success() && text.contains("raise-event"),
            "{shell}: {text}"
        );
    }
}

/// The same whether the hub is opened or its host is asked.
#[test]
fn a_list_that_is_cut_says_so_and_a_whole_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    for id in ["a", "b", "c"] {
        let started = tool(
            folder.path(),
            &["instances", "start", "hello_cities", "--id", id],
        );
        assert!(started.status.success(), "{started:?}");
    }
    let assert_told = || {
        for (top, cut) in [("2", true), ("3", false)] {
            let listed = tool(
                folder.path(),
                &["instances", "list", "--json", "--top", top],
            );
            let said = String::from_utf8_lossy(&listed.stderr).into_owned();
            let shown: Vec<Value> = serde_json::from_slice(&listed.stdout).unwrap();
            assert_eq!(shown.len().to_string(), top);
            assert_eq!(said.contains("the first 2 are shown"), cut, "{said}");
        }
    };
    assert_told();
    let _host = Host::start(folder.path());
    assert_told();
}
