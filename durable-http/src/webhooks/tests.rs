//! The vectors of the management webhooks, against their handler. `Echo` returns its input, `E1` waits for the event `go` and
//! returns its data, `Boom` fails.

use std::time::Duration;

use actix_web::http::Method;
use actix_web::{App, HttpRequest, HttpResponse, test, web};
use serde_json::{Value, json};

use crate::fixture;
use crate::host::Shared;

const BASE: &str = "/runtime/webhooks/durabletask";

struct Answer {
    status: u16,
    headers: actix_web::http::header::HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {:?}", self.body))
    }

    fn is_empty(&self) -> bool {
        self.body.is_empty() && self.header("content-type").is_none()
    }

    fn exception(&self) -> String {
        self.json()["ExceptionMessage"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

async fn handle(
    shared: web::Data<Shared>,
    req: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    super::handle(&shared, &req, payload).await
}

/// `"METHOD path"`, headers, body; the request carries no key of its own.
async fn raw(
    shared: &web::Data<Shared>,
    line: &str,
    headers: &[(&'static str, &str)],
    body: Option<&str>,
) -> Answer {
    let (method, path) = line.split_once(' ').unwrap();
    let app = App::new()
        .app_data(web::Data::clone(shared))
        .default_service(web::to(handle));
    let app = test::init_service(app).await;
    let mut request = test::TestRequest::with_uri(&format!("{BASE}{path}"))
        .method(Method::from_bytes(method.as_bytes()).unwrap())
        .insert_header(("host", "localhost:7071"));
    for header in headers {
        request = request.insert_header(*header);
    }
    if let Some(body) = body {
        request = request.set_payload(body.to_owned());
    }
    let response = test::call_service(&app, request.to_request()).await;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = String::from_utf8(test::read_body(response).await.to_vec()).unwrap();
    Answer {
        status,
        headers,
        body,
    }
}

/// With the extension's key.
async fn ask(shared: &web::Data<Shared>, line: &str, body: Option<&str>) -> Answer {
    let key = shared.keys.of_extension("durabletask");
    let headers = [
        ("x-functions-key", key.expose()),
        ("content-type", "application/json"),
    ];
    raw(shared, line, &headers, body).await
}

async fn start(shared: &web::Data<Shared>, name: &str, id: &str, input: &str) {
    let answer = ask(
        shared,
        &format!("POST /orchestrators/{name}/{id}"),
        Some(input),
    )
    .await;
    assert_eq!(answer.status, 202, "{}", answer.body);
}

/// Waits until the instance has ended.
async fn end(shared: &web::Data<Shared>, id: &str) {
    let waited = shared
        .client
        .wait_for_completion(id, Duration::from_secs(20))
        .await;
    assert!(waited.is_ok(), "{id}");
}

/// Waits until the status of the instance, which moves by itself, is this one.
async fn until(shared: &web::Data<Shared>, id: &str, status: &str) {
    for _ in 0..2000 {
        let answer = ask(shared, &format!("GET /instances/{id}"), None).await;
        if answer.json()["runtimeStatus"] == status {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{id} never was {status}");
}

#[actix_web::test]
async fn keys_decide_who_is_let_in() {
    let shared = fixture::shared(&["HttpTrigger"]).await;
    let keys = &shared.keys;
    let value = |scope, name| keys.get(&scope, name).unwrap().value;
    let host = value(crate::keys::Scope::Host, "default");
    let own = value(crate::keys::Scope::function("HttpTrigger"), "default");
    let extension = keys.of_extension("durabletask");
    let master = keys.master().unwrap().value;
    keys.set(
        &crate::keys::Scope::System,
        "other_extension",
        "sk-other".into(),
    )
    .await
    .unwrap();
    let header = "x-functions-key";
    let nothing = "GET /nothing";
    for (headers, line, status) in [
        (vec![], nothing.to_owned(), 401),
        (vec![(header, "unknown")], nothing.to_owned(), 401),
        (vec![(header, own.expose())], nothing.to_owned(), 401),
        (vec![(header, host.expose())], nothing.to_owned(), 403),
        (vec![(header, "sk-other")], nothing.to_owned(), 403),
        (vec![(header, extension.expose())], nothing.to_owned(), 404),
        (vec![(header, master.expose())], nothing.to_owned(), 404),
        (
            vec![],
            format!("{nothing}?code={}", extension.expose()),
            404,
        ),
        (
            vec![(header, "wrong")],
            format!("{nothing}?code={}", extension.expose()),
            401,
        ),
        (
            vec![(header, "")],
            format!("{nothing}?code={}", extension.expose()),
            401,
        ),
    ] {
        let answer = raw(&shared, &line, &headers, None).await;
        assert_eq!(answer.status, status, "{headers:?} {line}");
        assert!(answer.is_empty());
    }
}

#[actix_web::test]
async fn what_there_is_not_is_404_and_empty() {
    let shared = fixture::shared(&[]).await;
    for line in [
        "GET /orchestrators/E1",
        "POST /orchestrators",
        "PUT /instances/ID",
        "OPTIONS /instances/ID",
        "PATCH /instances/ID",
        "POST /instances/ID",
        "POST /instances",
        "GET /instances/ID/terminate",
        "POST /instances/ID/frobnicate",
        "POST /instances/ID/raiseEvent",
        "GET /instances/ID/raiseEvent/x",
        "GET /nothing",
        "PUT /entities/counter/x",
    ] {
        let answer = ask(&shared, line, Some("1")).await;
        assert_eq!((answer.status, answer.is_empty()), (404, true), "{line}");
    }
    assert_eq!(ask(&shared, "POST /makeprimary", None).await.status, 200);
}

#[actix_web::test]
async fn a_start_is_answered_with_the_links() {
    let host = fixture::running().await;
    let shared = &host.shared;
    for content_type in ["application/json", "text/plain"] {
        let key = shared.keys.of_extension("durabletask");
        let headers = [
            ("x-functions-key", key.expose()),
            ("content-type", content_type),
        ];
        let answer = raw(shared, "POST /orchestrators/e1", &headers, Some("\"x\"")).await;
        assert_eq!(
            (answer.status, answer.header("retry-after")),
            (202, Some("10"))
        );
        let body = answer.json();
        assert_eq!(
            answer.header("location"),
            body["statusQueryGetUri"].as_str()
        );
        let id = body["id"].as_str().unwrap();
        assert!(
            id.len() == 32
                && id
                    .bytes()
                    .all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase())
        );
        let hub = shared.client.task_hub();
        let expected = format!(
            "http://localhost:7071{BASE}/instances/{id}?taskHub={hub}&connection=Storage&code={}",
            key.expose()
        );
        assert_eq!(body["statusQueryGetUri"], json!(expected));
    }
    let answer = ask(shared, "POST /orchestrators/E1/abc", None).await;
    assert_eq!((answer.status, &answer.json()["id"]), (202, &json!("abc")));
    assert_eq!(
        ask(shared, "GET /instances/abc", None).await.json()["input"],
        Value::Null
    );
    host.stop().await;
}

#[actix_web::test]
async fn a_start_with_a_wrong_argument_says_which() {
    let host = fixture::running().await;
    let shared = &host.shared;
    let bad = ask(
        shared,
        "POST /orchestrators/E1",
        Some("badly formatted JSON string"),
    )
    .await;
    assert_eq!(
        (bad.status, &bad.json()["Message"]),
        (400, &json!("Invalid JSON content"))
    );
    let unknown = ask(shared, "POST /orchestrators/NonexistentFunction", Some("1")).await;
    assert_eq!(
        unknown.json()["Message"],
        "One or more of the arguments submitted is incorrect"
    );
    let text = unknown.exception();
    assert!(
        text.starts_with(
            "The function 'NonexistentFunction' doesn't exist, is disabled, or is not an orchestrator function. Additional info: "
        ),
        "{text}"
    );
    for id in [
        "%40bad",
        "invalid%5C",
        "invalid%23",
        "invalid%3F",
        "invalid%09",
        "invalid%0A",
        "%2e",
        "%2E%2e",
    ] {
        let answer = ask(shared, &format!("POST /orchestrators/E1/{id}"), None).await;
        assert_eq!(answer.status, 400, "{id}");
    }
    let long = ask(
        shared,
        &format!("POST /orchestrators/E1/{}", "a".repeat(257)),
        None,
    )
    .await;
    assert_eq!(
        long.exception(),
        "Instance ID lengths must not exceed 256 characters."
    );
    start(shared, "E1", &"a".repeat(256), "1").await;
    let foreign = ask(shared, "POST /orchestrators/E1?taskHub=OtherHub", None).await;
    assert_eq!(foreign.status, 400);
    host.stop().await;
}

#[actix_web::test]
async fn an_id_that_runs_is_taken_and_one_that_ended_is_not() {
    let host = fixture::running().await;
    let shared = &host.shared;
    start(shared, "E1", "abc", "1").await;
    until(shared, "abc", "Running").await;
    let taken = ask(shared, "POST /orchestrators/E1/abc", None).await;
    assert_eq!(taken.status, 409);
    let text = "An Orchestration instance with the status Running already exists.";
    assert_eq!(taken.exception(), text);
    start(shared, "Echo", "done", "1").await;
    end(shared, "done").await;
    start(shared, "Echo", "done", "2").await;
    end(shared, "done").await;
    let again = ask(shared, "GET /instances/done", None).await;
    assert_eq!(again.json()["output"], 2);
    host.stop().await;
}

#[actix_web::test]
async fn a_start_may_wait() {
    let host = fixture::running().await;
    let shared = &host.shared;
    let wait = |line: &str| format!("POST /orchestrators/{line}");
    let done = ask(
        shared,
        &wait("Echo?timeout=90&pollingInterval=10"),
        Some("\"Hello Tokyo!\""),
    )
    .await;
    assert_eq!((done.status, &*done.body), (200, "\"Hello Tokyo!\""));
    assert_eq!(done.header("location"), None);
    let late = ask(
        shared,
        &wait("E1/late?timeout=0.1&pollingInterval=0.1"),
        None,
    )
    .await;
    assert_eq!((late.status, &late.json()["id"]), (202, &json!("late")));
    let short = ask(shared, &wait("E1/short?timeout=1&pollingInterval=5"), None).await;
    assert_eq!(
        short.exception(),
        "Total timeout 1 should be bigger than retry timeout 5"
    );
    assert_ne!(ask(shared, "GET /instances/short", None).await.status, 404);
    for query in ["timeout=5", "timeout=abc&pollingInterval=1"] {
        let at_once = ask(shared, &wait(&format!("E1?{query}")), None).await;
        assert_eq!(at_once.status, 202, "{query}");
    }
    let failed = ask(shared, &wait("Boom?timeout=90&pollingInterval=10"), None).await;
    assert_eq!(
        (failed.status, &failed.json()["runtimeStatus"]),
        (200, &json!("Failed"))
    );
    host.stop().await;
}

#[actix_web::test]
async fn a_status_tells_whether_to_ask_again() {
    let host = fixture::running().await;
    let shared = &host.shared;
    start(shared, "E1", "live", r#"{"a": 1}"#).await;
    until(shared, "live", "Running").await;
    let live = ask(shared, "GET /Instances/live?showInput=0", None).await;
    assert_eq!((live.status, live.header("retry-after")), (202, Some("5")));
    let location = format!("http://localhost:7071{BASE}/Instances/live?showInput=0");
    assert_eq!(live.header("location"), Some(&*location));
    assert!(live.body.contains(r#""input":{"a": 1}"#), "{}", live.body);
    let hidden = ask(shared, "GET /instances/live?showInput=false", None).await;
    assert_eq!(hidden.json()["input"], Value::Null);
    start(shared, "Echo", "done", "[1]").await;
    end(shared, "done").await;
    let done = ask(shared, "GET /instances/done/", None).await;
    assert_eq!(
        (
            done.status,
            done.header("location"),
            done.header("retry-after")
        ),
        (200, None, None)
    );
    assert!(done.body.starts_with(
        r#"{"name":"Echo","instanceId":"done","runtimeStatus":"Completed","input":[1],"customStatus":null,"output":[1],"createdTime":""#
    ));
    let time = done.json()["createdTime"].as_str().unwrap().to_owned();
    assert!(time.len() == 20 && time.ends_with('Z'), "{time}");
    assert!(done.json().get("historyEvents").is_none());
    start(shared, "Boom", "failed", "1").await;
    end(shared, "failed").await;
    assert_eq!(ask(shared, "GET /instances/failed", None).await.status, 200);
    let flag = "GET /instances/failed?returnInternalServerErrorOnFailure=True";
    let failed = ask(shared, flag, None).await;
    assert_eq!(
        (failed.status, &failed.json()["runtimeStatus"]),
        (500, &json!("Failed"))
    );
    let unknown = ask(shared, "GET /instances/unknown", None).await;
    assert_eq!((unknown.status, unknown.is_empty()), (404, true));
    host.stop().await;
}

#[actix_web::test]
async fn history_is_shown_to_those_who_ask() {
    let host = fixture::running().await;
    let shared = &host.shared;
    start(shared, "Echo", "done", "[1]").await;
    end(shared, "done").await;
    let events = |answer: &Answer| answer.json()["historyEvents"].as_array().unwrap().clone();
    let plain = events(&ask(shared, "GET /instances/done?showHistory=True", None).await);
    assert_eq!(plain[0]["FunctionName"], "Echo");
    let last = plain.last().unwrap();
    assert_eq!(last["OrchestrationStatus"], "Completed");
    assert!(last.get("Result").is_none());
    let full = "GET /instances/done?showHistory=true&showHistoryOutput=true&showInput=false";
    let full = events(&ask(shared, full, None).await);
    assert_eq!(full.last().unwrap()["Result"], json!([1]));
    assert!(full.iter().all(|event| event.get("Input").is_none()));
    host.stop().await;
}

#[actix_web::test]
async fn lists_are_filtered_and_paged() {
    let host = fixture::running().await;
    let shared = &host.shared;
    let empty = ask(shared, "GET /instances", None).await;
    assert_eq!((empty.status, &*empty.body), (200, "[]"));
    for id in ["d1", "d2", "d3"] {
        start(shared, "Echo", id, "1").await;
        end(shared, id).await;
    }
    start(shared, "E1", "r1", "1").await;
    until(shared, "r1", "Running").await;
    let ids = |answer: &Answer| {
        let list = answer.json();
        let ids = list.as_array().unwrap().iter();
        ids.map(|one| one["instanceId"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    for (query, expected) in [
        ("", vec!["d1", "d2", "d3", "r1"]),
        ("runtimeStatus=Running", vec!["r1"]),
        (
            "runtimeStatus=Running,Completed",
            vec!["d1", "d2", "d3", "r1"],
        ),
        (
            "runtimeStatus=Running&runtimeStatus=Completed",
            vec!["d1", "d2", "d3", "r1"],
        ),
        ("runtimeStatus=running", vec!["d1", "d2", "d3", "r1"]),
        ("runtimeStatus=Bogus,Failed", vec![]),
        (
            "createdTimeFrom=garbage&top=abc",
            vec!["d1", "d2", "d3", "r1"],
        ),
        ("CREATEDTIMEFROM=2999-01-01T00:00:00Z", vec![]),
        ("createdTimeTo=2020-01-01T23:59:59.000Z", vec![]),
        ("instanceIdPrefix=d", vec!["d1", "d2", "d3"]),
    ] {
        let answer = ask(shared, &format!("GET /instances/?{query}"), None).await;
        let mut found = ids(&answer);
        found.sort();
        assert_eq!(
            (answer.status, found),
            (200, expected.into_iter().map(Into::into).collect()),
            "{query}"
        );
        assert_eq!(answer.header("x-ms-continuation-token"), None);
    }
    let (mut all, mut token) = (Vec::new(), String::new());
    loop {
        let key = shared.keys.of_extension("durabletask");
        let headers = [
            ("x-functions-key", key.expose()),
            ("x-ms-continuation-token", &*token),
        ];
        let page = raw(shared, "GET /instances?top=2", &headers, None).await;
        all.extend(ids(&page));
        match page.header("x-ms-continuation-token") {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    all.sort();
    assert_eq!(all, ["d1", "d2", "d3", "r1"]);
    assert_eq!(ask(shared, "GET /instances?top=0", None).await.status, 400);
    host.stop().await;
}

#[actix_web::test]
async fn events_reach_what_has_not_ended() {
    let host = fixture::running().await;
    let shared = &host.shared;
    start(shared, "E1", "e", "1").await;
    let key = shared.keys.of_extension("durabletask");
    let with = |content_type: &'static str| {
        [
            ("x-functions-key", key.expose().to_owned()),
            ("content-type", content_type.to_owned()),
        ]
    };
    let text = with("text/plain");
    let text: Vec<_> = text.iter().map(|(name, value)| (*name, &**value)).collect();
    let refused = raw(shared, "POST /instances/e/raiseEvent/go", &text, Some("1")).await;
    let message = r#"{"Message":"Only application/json request content is supported"}"#;
    assert_eq!((refused.status, &*refused.body), (400, message));
    let nobody = raw(
        shared,
        "POST /instances/nobody/raiseEvent/go",
        &text,
        Some("1"),
    )
    .await;
    assert_eq!((nobody.status, nobody.is_empty()), (404, true));
    for body in [None, Some("{bad")] {
        let bad = ask(shared, "POST /instances/e/raiseEvent/go", body).await;
        assert_eq!(
            (bad.status, &bad.json()["Message"]),
            (400, &json!("Invalid JSON content"))
        );
    }
    let other = ask(
        shared,
        "POST /instances/e/raiseEvent/my%20event",
        Some("null"),
    )
    .await;
    assert_eq!((other.status, other.is_empty()), (202, true));
    let sent = ask(shared, "POST /instances/e/raiseEvent/go", Some("\"incr\"")).await;
    assert_eq!((sent.status, sent.is_empty()), (202, true));
    end(shared, "e").await;
    assert_eq!(
        ask(shared, "GET /instances/e", None).await.json()["output"],
        "incr"
    );
    let late = ask(shared, "POST /instances/e/raiseEvent/go", Some("1")).await;
    assert_eq!((late.status, late.is_empty()), (410, true));
    host.stop().await;
}

#[actix_web::test]
async fn instances_are_halted_resumed_and_ended() {
    let host = fixture::running().await;
    let shared = &host.shared;
    start(shared, "E1", "x", "1").await;
    until(shared, "x", "Running").await;
    let tell = async |line: &str| ask(shared, &format!("POST /instances/{line}"), None).await;
    let early = tell("x/resume").await;
    let text =
        "Cannot resume the orchestration instance x because instance is in the Running state.";
    assert_eq!((early.status, early.exception()), (500, text.to_owned()));
    assert_eq!(
        tell("x/suspend?reason=stuff%20and%20things").await.status,
        202
    );
    until(shared, "x", "Suspended").await;
    let twice = tell("x/suspend").await;
    let text =
        "Cannot suspend the orchestration instance x because instance is in the Suspended state.";
    assert_eq!((twice.status, twice.exception()), (500, text.to_owned()));
    assert_eq!(tell("x/resume").await.status, 202);
    until(shared, "x", "Running").await;
    let ended = tell("x/TERMINATE?reason=because").await;
    assert_eq!((ended.status, ended.is_empty()), (202, true));
    end(shared, "x").await;
    let shown = ask(
        shared,
        "GET /instances/x?returnInternalServerErrorOnFailure=true",
        None,
    )
    .await;
    assert_eq!(
        (shown.status, &shown.json()["output"]),
        (200, &json!("because"))
    );
    for operation in ["terminate", "suspend", "resume"] {
        let late = tell(&format!("x/{operation}")).await;
        assert_eq!((late.status, late.is_empty()), (410, true), "{operation}");
        let nobody = tell(&format!("nobody/{operation}")).await;
        assert_eq!(
            (nobody.status, nobody.is_empty()),
            (404, true),
            "{operation}"
        );
    }
    for (id, query, output) in [
        ("y", "", Value::Null),
        ("z", "?reason=%7B%22a%22:1%7D", json!({"a": 1})),
    ] {
        start(shared, "E1", id, "1").await;
        assert_eq!(tell(&format!("{id}/terminate{query}")).await.status, 202);
        end(shared, id).await;
        let shown = ask(shared, &format!("GET /instances/{id}"), None).await;
        assert_eq!(shown.json()["output"], output, "{query}");
    }
    host.stop().await;
}

#[actix_web::test]
async fn only_ended_instances_are_purged() {
    let host = fixture::running().await;
    let shared = &host.shared;
    start(shared, "Echo", "done", "1").await;
    end(shared, "done").await;
    let purged = ask(shared, "DELETE /instances/done", None).await;
    assert_eq!(
        (purged.status, &*purged.body),
        (200, r#"{"instancesDeleted":1}"#)
    );
    let again = ask(shared, "DELETE /instances/done", None).await;
    assert_eq!((again.status, again.is_empty()), (404, true));
    start(shared, "E1", "live", "1").await;
    until(shared, "live", "Running").await;
    let live = ask(shared, "DELETE /instances/live", None).await;
    let text = "Only orchestrations in a terminal state can be purged, but the orchestration with instance ID live has status Running";
    assert_eq!((live.status, live.json()), (412, json!(text)));
    host.stop().await;
}

#[actix_web::test]
async fn ended_instances_of_a_span_are_purged_together() {
    let host = fixture::running().await;
    let shared = &host.shared;
    let missing = json!("Please provide value for 'createdTimeFrom' parameter.");
    for query in ["", "?createdTimeFrom=notadate", "?runtimeStatus=Completed"] {
        let answer = ask(shared, &format!("DELETE /instances{query}"), None).await;
        assert_eq!(
            (answer.status, answer.json()),
            (400, missing.clone()),
            "{query}"
        );
    }
    for id in ["p1", "p2", "p3"] {
        start(shared, "Echo", id, "1").await;
        end(shared, id).await;
    }
    start(shared, "Boom", "broken", "1").await;
    end(shared, "broken").await;
    start(shared, "E1", "live", "1").await;
    for (query, expected) in [
        ("createdTimeFrom=2999-01-01T00:00:00Z", (404, "")),
        (
            "createdTimeFrom=2020-01-01T00:00:00Z&createdTimeTo=2020-01-02T00:00:00Z",
            (404, ""),
        ),
        (
            "createdTimeFrom=2020-01-01T00:00:00Z&runtimeStatus=Running",
            (404, ""),
        ),
        (
            "createdTimeFrom=2020-01-01T00:00:00Z&runtimeStatus=Completed",
            (200, r#"{"instancesDeleted":3}"#),
        ),
        (
            "createdTimeFrom=2020-01-01T00:00:00Z",
            (200, r#"{"instancesDeleted":1}"#),
        ),
        ("createdTimeFrom=2020-01-01T00:00:00Z", (404, "")),
    ] {
        let answer = ask(shared, &format!("DELETE /instances/?{query}"), None).await;
        assert_eq!((answer.status, &*answer.body), expected, "{query}");
    }
    assert_eq!(ask(shared, "GET /instances/live", None).await.status, 202);
    host.stop().await;
}

#[actix_web::test]
async fn failed_instances_are_rewound() {
    let host = fixture::running().await;
    let shared = &host.shared;
    start(shared, "Boom", "broken", "1").await;
    end(shared, "broken").await;
    let rewound = ask(
        shared,
        "POST /instances/broken/rewind?reason=fixed+it",
        None,
    )
    .await;
    assert_eq!((rewound.status, rewound.is_empty()), (202, true));
    end(shared, "broken").await;
    let shown = ask(shared, "GET /instances/broken?showHistory=true", None)
        .await
        .json();
    let history = shown["historyEvents"].as_array().unwrap();
    let event = history
        .iter()
        .find(|event| event["EventType"] == "ExecutionRewound");
    assert_eq!(event.unwrap()["Reason"], "fixed it", "{shown}");
    start(shared, "Echo", "done", "1").await;
    end(shared, "done").await;
    start(shared, "E1", "live", "1").await;
    let running = r#"This orchestration has status Running, but only orchestrations in the "Failed" state can be rewound."#;
    for (id, expected) in [
        ("done", (410, String::new())),
        ("nobody", (404, String::new())),
        ("live", (412, json!(running).to_string())),
    ] {
        let answer = ask(shared, &format!("POST /instances/{id}/rewind"), None).await;
        assert_eq!((answer.status, answer.body), expected, "{id}");
    }
    host.stop().await;
}

#[actix_web::test]
async fn a_status_tells_what_is_waited_for_if_asked_to() {
    let host = fixture::running().await;
    let shared = &host.shared;
    start(shared, "E1", "live", "{\"a\":1}").await;
    until(shared, "live", "Running").await;
    let shown = ask(shared, "GET /instances/live?showPendingWork=true", None).await;
    assert_eq!(shown.status, 202);
    let shown = shown.json();
    assert_eq!(shown["input"], json!({ "a": 1 }));
    assert_eq!(shown["pendingWork"]["events"], json!(["go"]));
    let plain = ask(shared, "GET /instances/live", None).await.json();
    assert!(plain.get("pendingWork").is_none(), "{plain}");
    host.stop().await;
}

#[actix_web::test]
async fn instances_are_restarted_under_a_new_id_or_the_old_one() {
    let host = fixture::running().await;
    let shared = &host.shared;
    start(shared, "Echo", "first", "[1,2]").await;
    end(shared, "first").await;
    let restarted = ask(shared, "POST /instances/first/restart", None).await;
    let new_id = restarted.json()["id"].as_str().unwrap().to_owned();
    assert_eq!((restarted.status, new_id.len()), (202, 32));
    assert_eq!(restarted.json().as_object().unwrap().len(), 9);
    end(shared, &new_id).await;
    let shown = ask(shared, &format!("GET /instances/{new_id}"), None).await;
    assert_eq!(shown.json()["output"], json!([1, 2]));
    let same = ask(
        shared,
        "POST /instances/first/restart?restartWithNewInstanceId=false",
        None,
    )
    .await;
    assert_eq!((same.status, &same.json()["id"]), (202, &json!("first")));
    let waited = "POST /instances/first/restart?timeout=90&pollingInterval=10";
    let waited = ask(shared, waited, None).await;
    assert_eq!((waited.status, &*waited.body), (200, "[1,2]"));
    let invalid = "InstanceId does not match a valid orchestration instance.";
    let unknown = ask(shared, "POST /instances/nobody/restart", None).await;
    assert_eq!(
        (unknown.status, &unknown.json()["Message"]),
        (400, &json!(invalid))
    );
    assert_eq!(
        unknown.exception(),
        "An orchestrastion with the instanceId nobody was not found."
    );
    start(shared, "E1", "live", "1").await;
    let live = ask(
        shared,
        "POST /instances/live/restart?restartWithNewInstanceId=false",
        None,
    )
    .await;
    let text = "A non-terminal instance with this instance ID already exists.";
    assert_eq!((live.status, &live.json()["Message"]), (409, &json!(text)));
    let short = ask(
        shared,
        "POST /instances/first/restart?timeout=1&pollingInterval=2",
        None,
    )
    .await;
    assert_eq!(
        (short.status, &short.json()["Message"]),
        (400, &json!(invalid))
    );
    host.stop().await;
}

/// Vectors 101 to 113.
#[actix_web::test]
async fn entities_are_signalled_read_and_listed() {
    let running = fixture::running().await;
    let shared = &running.shared;
    for (line, body, status) in [
        ("GET /entities/Counter/steps", None, 404),
        (
            "POST /entities/Counter/steps?op=set",
            Some(r#"{"value":9}"#),
            202,
        ),
        ("POST /entities/Counter?op=set", Some("1"), 202),
        ("POST /entities/counter/gone?op=set", Some("1"), 202),
        ("DELETE /entities/COUNTER/gone", None, 202),
        ("POST /entities/counter/steps/more", None, 404),
        ("PUT /entities/counter/steps", None, 404),
    ] {
        let answer = ask(shared, line, body).await;
        assert_eq!(answer.status, status, "{line}: {}", answer.body);
        assert!(answer.is_empty(), "{line}: {}", answer.body);
    }
    settled(shared, "gone", None).await;
    settled(shared, "steps", Some(r#"{"value":9}"#)).await;
    settled(shared, "$", Some("1")).await;

    for verb in ["terminate", "suspend", "resume", "raiseEvent/go"] {
        for id in ["@counter@steps", "@counter@never"] {
            let line = format!("POST /instances/{id}/{verb}");
            let answer = ask(shared, &line, Some("1")).await;
            // An event looks for its receiver first.
            if verb == "raiseEvent/go" && id == "@counter@never" {
                assert_eq!((answer.status, answer.is_empty()), (404, true));
                continue;
            }
            assert_eq!(answer.status, 400, "{id} {verb}");
            let text = answer.exception();
            assert!(text.contains("signal the entity"), "{id} {verb}: {text}");
        }
    }
    let made = ask(shared, "GET /entities/counter/never", None).await;
    assert_eq!(made.status, 404, "{}", made.body);

    for (line, body, part) in [
        (
            "POST /entities",
            Some("1"),
            "Invalid entity id: entity name must not be a null or empty string.",
        ),
        (
            "DELETE /entities",
            None,
            "Invalid entity id: entity name must not be a null or empty string.",
        ),
        (
            "POST /entities/unknownentity/x",
            None,
            "The function 'unknownentity' doesn't exist, is disabled, or is not an entity function. Additional info: The following are the known entity functions: 'Counter'.",
        ),
        (
            "POST /entities/counter/a%5Cb",
            None,
            "Entity keys must not contain",
        ),
        (
            "POST /entities/counter/x",
            Some("{oops"),
            "Could not parse JSON content: ",
        ),
        (
            "GET /entities?top=0",
            None,
            "'top' must be greater than zero",
        ),
    ] {
        let answer = ask(shared, line, body).await;
        assert_eq!(answer.status, 400, "{line}: {}", answer.body);
        let json = answer.json();
        assert_eq!(json.as_object().unwrap().len(), 1, "{line}: {json}");
        assert!(
            json["Message"].as_str().unwrap().contains(part),
            "{line}: {json}"
        );
    }

    let first = ask(shared, "GET /entities/Counter?fetchState=true&top=1", None).await;
    assert_eq!(
        (first.status, first.json().as_array().unwrap().len()),
        (200, 1)
    );
    let token = first.header("x-ms-continuation-token").unwrap().to_owned();
    let key = shared.keys.of_extension("durabletask");
    let headers = [
        ("x-functions-key", key.expose()),
        ("x-ms-continuation-token", &*token),
    ];
    let rest = raw(shared, "GET /entities/Counter?top=5", &headers, None).await;
    let rest = rest.json();
    let rest = rest.as_array().unwrap();
    assert_eq!(rest.len(), 1, "{rest:?}");
    assert_eq!(
        rest[0]["entityId"],
        json!({ "name": "counter", "key": "steps" })
    );
    assert_eq!(rest[0]["state"], Value::Null);
    assert!(rest[0].as_object().unwrap().contains_key("state"));
    let all = ask(
        shared,
        "GET /entities?fetchState=true&lastOperationTimeFrom=2018-03-10T10:01:00",
        None,
    )
    .await;
    assert_eq!(all.json()[1]["state"], json!({ "value": 9 }));

    let headers = [
        ("x-functions-key", key.expose()),
        ("content-type", "text/plain"),
    ];
    let told = raw(
        shared,
        "POST /entities/counter/text?op=set",
        &headers,
        Some("text content"),
    )
    .await;
    assert_eq!(told.status, 202);
    settled(shared, "text", Some(r#""text content""#)).await;

    let instance = ask(shared, "GET /instances/@counter@steps", None)
        .await
        .json();
    assert_eq!(instance["name"], "@counter");
    assert_eq!(
        instance["input"],
        json!({ "exists": true, "state": r#"{"value":9}"# })
    );
    shared.client.pause_functions(true).await.unwrap();
    let waits = ask(shared, "POST /entities/counter/steps?op=set", Some("7")).await;
    assert_eq!(waits.status, 202);
    let busy = ask(shared, "DELETE /instances/@counter@steps", None).await;
    let text = busy.json().to_string();
    assert!(text.contains("`@counter@steps` is locked or has messages waiting"));
    assert_eq!(busy.status, 412);
    shared.client.pause_functions(false).await.unwrap();
    settled(shared, "steps", Some("7")).await;
    let purged = ask(shared, "DELETE /instances/@counter@steps", None).await;
    assert_eq!(purged.json(), json!({ "instancesDeleted": 1 }));
    settled(shared, "steps", None).await;
    running.stop().await;
}

/// Reads until the signals before it have been run: a signal is answered when it is stored.
async fn settled(shared: &web::Data<Shared>, key: &str, state: Option<&str>) {
    let line = format!("GET /entities/counter/{key}");
    for _ in 0..10_000 {
        let answer = ask(shared, &line, None).await;
        let found = (answer.status == 200).then_some(&*answer.body);
        if found == state {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("{key} never became {state:?}");
}

#[actix_web::test]
async fn a_value_over_the_limit_of_the_hub_is_413_and_says_what_to_do() {
    let host = fixture::running_with(|settings| settings.max_payload_bytes = 1024).await;
    let shared = &host.shared;
    // What is around a value is not part of it.
    let value = |bytes: usize| format!(" \"{}\"\n", "x".repeat(bytes - 2));
    start(shared, "E1", "one", &value(1024)).await;
    for line in [
        "POST /orchestrators/Echo/two",
        "POST /instances/one/raiseEvent/go",
        "POST /entities/Counter/a?op=set",
    ] {
        let answer = ask(shared, line, Some(&value(1025))).await;
        assert_eq!(answer.status, 413, "{line}: {}", answer.body);
        assert_eq!(
            answer.json()["Message"],
            "the value in the body is too large: expected at most 1024 bytes of JSON \
            (setting `extensions.durableTask.limits.payloadBytes`), found 1025; \
            keep large data elsewhere and hand over where it is",
            "{line}"
        );
        assert!(
            answer
                .header("content-type")
                .unwrap()
                .starts_with("application/json")
        );
    }
    // A text becomes a JSON string, which is longer than itself.
    let key = shared.keys.of_extension("durabletask");
    let headers = [
        ("x-functions-key", key.expose()),
        ("content-type", "text/plain"),
    ];
    for (text, status) in [
        ("y".repeat(1022), 202),
        ("y".repeat(1023), 413),
        ("\n".repeat(600), 413),
    ] {
        let answer = raw(
            shared,
            "POST /entities/Counter/a?op=set",
            &headers,
            Some(&text),
        )
        .await;
        assert_eq!(answer.status, status, "{}", text.len());
    }
    assert_eq!(ask(shared, "GET /instances/two", None).await.status, 404);
    let answer = ask(
        shared,
        "POST /instances/one/raiseEvent/go",
        Some(&value(1024)),
    )
    .await;
    assert_eq!(answer.status, 202);
    end(shared, "one").await;
    let answer = ask(shared, "GET /instances/one", None).await;
    assert_eq!(answer.json()["output"].as_str().unwrap().len(), 1022);
    host.stop().await;
}
