//! Lifecycle notifications, from outside: a receiver that fails first, and a host that is killed between its commit and the answer.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use durable_functions::actix_web::web::{self, Bytes, Data};
use durable_functions::actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc};

use crate::{Host, command};

const KEY: &str = "s3cret-topic-key";
const CODE: &str = "s3cret-code";

/// What a request held, and whether it is still waited for.
struct Shared {
    seen: mpsc::UnboundedSender<Value>,
    /// Statuses of the first answers; 200 after them.
    answers: Mutex<Vec<u16>>,
    /// One for each request that is answered at all.
    permits: Semaphore,
}

struct Receiver {
    shared: Arc<Shared>,
    seen: mpsc::UnboundedReceiver<Value>,
    url: String,
}

async fn receive(shared: Data<Shared>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap())
    };
    assert_eq!(header("aeg-sas-key"), Some(KEY));
    assert_eq!(
        header("content-type"),
        Some("application/json; charset=utf-8")
    );
    let events: Vec<Value> = serde_json::from_slice(&body).unwrap();
    let [event] = <[Value; 1]>::try_from(events).unwrap();
    shared.seen.send(event).unwrap();
    shared.permits.acquire().await.unwrap().forget();
    let mut answers = shared.answers.lock().unwrap();
    let status = if answers.is_empty() {
        200
    } else {
        answers.remove(0)
    };
    HttpResponse::build(status.try_into().unwrap()).finish()
}

impl Receiver {
    fn start(answers: &[u16], permits: usize) -> Self {
        let (sender, seen) = mpsc::unbounded_channel();
        let shared = Data::new(Shared {
            seen: sender,
            answers: Mutex::new(answers.to_vec()),
            permits: Semaphore::new(permits),
        });
        let own = shared.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(own.clone())
                .route("/topic", web::post().to(receive))
        });
        let server = server.workers(1).disable_signals();
        let server = server.bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/topic?code={CODE}", server.addrs()[0]);
        tokio::spawn(server.run());
        Self {
            shared: shared.into_inner(),
            seen,
            url,
        }
    }

    async fn next(&mut self) -> Value {
        self.seen.recv().await.unwrap()
    }

    fn host(&self, root: &Path, retries: u32) -> Host {
        let mut command: Command = command(root, &["--port", "0"]);
        let grid = "AzureFunctionsJobHost__extensions__durableTask__notifications__eventGrid";
        command
            .env(format!("{grid}__topicEndpoint"), &self.url)
            .env(format!("{grid}__keySettingName"), "TopicKey")
            .env(format!("{grid}__publishRetryCount"), retries.to_string())
            .env(format!("{grid}__publishRetryInterval"), "00:00:00.010")
            .env(format!("{grid}__publishRetryHttpStatus"), "[429]")
            .env("TopicKey", KEY);
        Host::spawn(command, File::create(root.join("log")).unwrap().into())
    }
}

fn start(root: &Path, id: &str) {
    let args = ["instances", "start", "hello_cities", "--id", id];
    let told = command(root, &args).output().unwrap();
    assert!(told.status.success(), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_fails_first_is_told_again_in_order() {
    let folder = tempfile::tempdir().unwrap();
    // Started: 503, 429, taken. Completed: taken.
    let mut receiver = Receiver::start(&[503, 429], 100);
    let host = receiver.host(folder.path(), 2);
    start(folder.path(), "it");
    let mut started = receiver.next().await;
    assert_eq!(started, receiver.next().await);
    assert_eq!(started, receiver.next().await);
    let completed = receiver.next().await;
    assert_ne!(started["id"], completed["id"]);
    assert_eq!(completed["data"]["runtimeStatus"], "Completed");
    assert_eq!(completed["subject"], "durable/orchestrator/Completed");
    let (id, time) = (started["id"].take(), started["eventTime"].take());
    assert_eq!(id.as_str().unwrap().len(), 36);
    assert!(time.as_str().unwrap().ends_with('Z'), "{time}");
    let expected = json!({
        "id": null, "eventTime": null,
        "subject": "durable/orchestrator/Running", "eventType": "orchestratorEvent", "dataVersion": "1.0",
        "data": {
            "hubName": "hellocities", "functionName": "hello_cities", "instanceId": "it",
            "reason": "", "runtimeStatus": "Running",
        },
    });
    assert_eq!(started, expected);
    drop(host);
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(log.contains("answered 503"), "{log}");
    assert!(!log.contains("s3cret"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_killed_before_the_answer_tells_the_same_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut receiver = Receiver::start(&[], 0);
    let host = receiver.host(folder.path(), 0);
    start(folder.path(), "it");
    let first = receiver.next().await;
    // SIGKILL: the instance goes on or has ended, and nobody has said that the notification was taken.
    drop(host);
    // One may be spent on the request of the one that is gone.
    receiver.shared.permits.add_permits(100);
    let _host = receiver.host(folder.path(), 0);
    let mut seen: HashMap<String, Vec<Value>> = HashMap::new();
    while !seen.contains_key("Completed") {
        let event = receiver.next().await;
        let status = event["data"]["runtimeStatus"].as_str().unwrap().to_owned();
        seen.entry(status).or_default().push(event);
    }
    assert_eq!(seen["Running"], [first]);
    assert_eq!(seen["Completed"].len(), 1);
}
