//! What log lines hold, and what they never hold: no key is in one, in an error's body or debug output, however it got to the host.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use durable_functions::prelude::*;
use durable_functions::reqwest::{Client, Method, StatusCode};
use tracing_subscriber::EnvFilter;

const KEYS: [(&str, &str); 5] = [
    (
        "host/systemkeys/durabletask_extension",
        "SECRET-system-0123456789abcdef-0123456789",
    ),
    (
        "host/functionkeys/default",
        "SECRET-host-0123456789abcdef-0123456789",
    ),
    (
        "functions/hello/keys/default",
        "SECRET-function-0123456789abcdef-0123456789",
    ),
    (
        "functions/slack/keys/default",
        "SECRET-slack-0123456789abcdef-0123456789",
    ),
    (
        "host/systemkeys/_master",
        "SECRET-master-0123456789abcdef-0123456789",
    ),
];

/// Log lines, kept.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[http_trigger]
async fn hello() -> Result<String> {
    Err(Error::msg("on purpose"))
}

#[http_trigger(auth = "anonymous")]
async fn open(
    who: ClientPrincipal,
    #[durable_client] client: DurableClient,
    req: HttpRequest,
) -> String {
    let links = client.create_http_management_payload(&req, "x");
    format!("{who:?} {client:?} {links:?}")
}

#[http_trigger(webhook = "slack")]
async fn slack(event: WebhookEvent) -> String {
    format!("{event:?}")
}

#[orchestration_trigger]
async fn nothing(_ctx: OrchestrationContext) {}

/// All that is logged in this process from the first call on.
fn log() -> &'static Lines {
    static LINES: OnceLock<Lines> = OnceLock::new();
    LINES.get_or_init(|| {
        let lines = Lines::default();
        let writer = lines.clone();
        // All that the host itself says, and more than the default of what it stands on; not the client that asks, which is no part of it.
        let filter = EnvFilter::new(
            "debug,durable_http=trace,durable_runtime=trace,actix_http=trace,hyper_util=off,reqwest=off,h2=off",
        );
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .init();
        lines
    })
}

impl Lines {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

fn host(folder: &tempfile::TempDir) -> Host {
    Host::new()
        .with_script_root(folder.path())
        .with_address("127.0.0.1:0")
        .with_setting(
            "AzureWebEncryptionKey",
            "5ec7e7".repeat(11)[..64].to_owned(),
        )
}

#[tokio::test]
async fn no_key_is_in_any_line_body_or_debug_output() {
    let lines = log();
    let folder = tempfile::tempdir().unwrap();
    let first = host(&folder).with_auth(false).start().await.unwrap();
    let base = first.url().unwrap();
    let http = Client::new();
    for (path, value) in KEYS {
        let put = http.put(base.join(&format!("admin/{path}")).unwrap());
        let answer = put.json(&json!({ "value": value })).send().await.unwrap();
        assert!(answer.status().is_success());
    }
    first.shutdown().await.unwrap();
    let builder = host(&folder).with_auth(true);
    let mut said = format!("{builder:?}");
    let running = builder.start().await.unwrap();
    said.push_str(&format!("{running:?} {:?}", running.client()));
    let base = running.url().unwrap();
    let mut asked = 0;
    for (_, key) in KEYS {
        for (method, path) in [
            (Method::GET, "api/hello"),
            (Method::POST, "api/slack"),
            (Method::GET, "api/open"),
            (Method::GET, "api/none"),
            (Method::GET, "admin/host/status"),
            (Method::GET, "admin/host/config"),
            (Method::GET, "admin/openapi.json"),
            (Method::GET, "admin/functions"),
            (Method::POST, "admin/functions/hello"),
            (Method::PUT, "admin/functions/hello/keys/new"),
            (
                Method::POST,
                "runtime/webhooks/durabletask/orchestrators/unknown",
            ),
            (
                Method::GET,
                "runtime/webhooks/durabletask/instances?taskHub=other",
            ),
            (Method::GET, "runtime/webhooks/durabletask/instances/none"),
        ] {
            let url = base.join(path).unwrap();
            let mut by_query = url.clone();
            by_query.query_pairs_mut().append_pair("code", key);
            let by_header = http
                .request(method.clone(), url)
                .header("x-functions-key", key);
            let by_query = http.request(method.clone(), by_query);
            for request in [by_header, by_query] {
                let body = format!("token={key}&command=/x");
                let request = request.header("content-type", "application/x-www-form-urlencoded");
                let answer = request.body(body).send().await.unwrap();
                assert_ne!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
                said.push_str(&answer.text().await.unwrap());
                asked += 1;
            }
        }
    }
    running.shutdown().await.unwrap();
    let logged = lines.text();
    // It was listening, and there was something to hear.
    assert!(asked > 100 && logged.contains("hello failed") && !said.contains("on purpose"));
    // One line for each invocation, with what an operator looks for.
    let answered: Vec<_> = logged
        .lines()
        .filter(|line| line.contains("open answered"))
        .collect();
    assert_eq!(answered.len(), 2 * KEYS.len());
    for part in [
        "INFO",
        "function=\"open\"",
        "invocation=",
        "status=200",
        "duration=",
    ] {
        assert!(
            answered.iter().all(|line| line.contains(part)),
            "{part}: {}",
            answered[0]
        );
    }
    for (what, text) in [
        ("a log line", &logged),
        ("an answer or debug output", &said),
    ] {
        let marks = ["SECRET", "5ec7e75ec7e7"].iter();
        let found = marks.filter_map(|mark| text.find(mark)).next();
        let around = found.and_then(|at| text.get(at.saturating_sub(200)..at + 20));
        assert_eq!(around, None, "in {what}");
    }
}

#[activity_trigger]
async fn says() {
    tracing::info!("said by an activity");
}

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Speaker;

#[entity_trigger]
impl Speaker {
    pub fn say(&mut self) {
        tracing::info!("said by an entity");
    }
}

#[orchestration_trigger]
async fn speaks(ctx: OrchestrationContext) -> Result<()> {
    tracing::info!("said by an orchestrator");
    ctx.call_activity::<says>(()).await?;
    ctx.entity::<Speaker>("one").say().await?;
    Ok(())
}

#[tokio::test]
async fn what_functions_say_carries_their_name_and_instance_and_is_said_once() {
    let lines = log();
    let folder = tempfile::tempdir().unwrap();
    let evict = "AzureFunctionsJobHost__extensions__durableTask__extendedSessionsEnabled";
    let host = host(&folder).without_http().with_setting(evict, "false");
    let host = host.start().await.unwrap();
    let client = host.client();
    let id = client.start_new::<speaks>(()).await.unwrap();
    let end = client.wait_for_completion(&id, Duration::from_secs(60));
    assert_eq!(end.await.unwrap().runtime_status, RuntimeStatus::Completed);
    host.shutdown().await.unwrap();
    let logged = lines.text();
    let of_instance = format!("instance_id=\"{id}\"");
    for (said, function, instance) in [
        ("said by an orchestrator", "speaks", &*of_instance),
        ("said by an activity", "says", &*of_instance),
        ("said by an entity", "Speaker", "instance_id=@speaker@one"),
    ] {
        let found: Vec<&str> = logged.lines().filter(|line| line.contains(said)).collect();
        let function = format!("function=\"{function}\"");
        assert!(
            found.len() == 1 && found[0].contains(&function) && found[0].contains(instance),
            "{found:?}"
        );
    }
}
