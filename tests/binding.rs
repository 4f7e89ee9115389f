//! What requests become on their way into functions, and outputs on their way out, against a host that listens.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::collections::HashMap;

use actix_web::{error::ErrorImATeapot, web};
use durable_functions::prelude::*;
use durable_functions::{actix_web, reqwest};
use reqwest::Method;
use serde::Deserialize;

#[derive(Deserialize)]
struct Person {
    name: String,
}

struct Greeting(&'static str);

#[http_trigger(auth = "anonymous")]
async fn nothing() {}

#[http_trigger(auth = "anonymous")]
async fn fails() -> Result<()> {
    Err(Error::msg("secret"))
}

#[http_trigger(auth = "anonymous")]
async fn panics() -> &'static str {
    panic!("secret")
}

#[http_trigger(auth = "anonymous")]
async fn teapot() -> actix_web::Result<String> {
    Err(ErrorImATeapot("short and stout"))
}

#[http_trigger(auth = "anonymous", route = "client-error/{kind}")]
async fn client_error(kind: String) -> Result<()> {
    Err(match &*kind {
        "absent" => ClientError::NotFound(kind),
        "twice" => ClientError::AlreadyExists(kind),
        "wrong" => ClientError::InvalidArgument(kind),
        "later" => ClientError::Unavailable(kind),
        _ => ClientError::Timeout,
    })?
}

#[http_trigger(auth = "anonymous")]
async fn greets(person: Json<Person>, greeting: State<Greeting>) -> String {
    format!("{} {}", greeting.0, person.name)
}

#[http_trigger(auth = "anonymous")]
async fn maybe(json: Option<Json<Person>>, query: Option<Query<Person>>) -> String {
    let json = json.map_or("-".to_owned(), |json| json.into_inner().name);
    json + &query.map_or("-".to_owned(), |query| query.into_inner().name)
}

#[http_trigger(auth = "anonymous")]
async fn maybe_form(form: Option<Form<HashMap<String, String>>>) -> String {
    form.is_some().to_string()
}

#[http_trigger(auth = "anonymous", route = "path/{a}/{b}")]
async fn path(path: web::Path<(String, u32)>) -> String {
    format!("{} {}", path.0, path.1)
}

#[http_trigger(auth = "anonymous", route = "number/{n}/{m?}")]
async fn number(n: u8, m: Option<u8>) -> String {
    format!("{n} {m:?}")
}

#[http_trigger(auth = "anonymous")]
async fn whoami(who: ClientPrincipal) -> Json<ClientPrincipal> {
    Json(who)
}

#[http_trigger]
fn guarded() -> &'static str {
    "in"
}

#[http_trigger(auth = "anonymous", route = "x/off")]
async fn off() {}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// Method, path, content type, body, status, text of the answer.
type Case = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    u16,
    &'static str,
);

const CASES: &[Case] = &[
    ("GET", "api/nothing", "", "", 204, ""),
    ("GET", "api/fails", "", "", 500, ""),
    ("GET", "api/panics", "", "", 500, ""),
    ("GET", "api/teapot", "", "", 418, "short and stout"),
    (
        "GET",
        "api/client-error/absent",
        "",
        "",
        404,
        "no instance with the id `absent` was found",
    ),
    ("GET", "api/client-error/twice", "", "", 409, "twice"),
    ("GET", "api/client-error/wrong", "", "", 400, "wrong"),
    ("GET", "api/client-error/later", "", "", 503, "later"),
    ("GET", "api/client-error/other", "", "", 500, ""),
    (
        "POST",
        "api/greets",
        FORM,
        r#"{"name":"Ann"}"#,
        200,
        "Hello Ann",
    ),
    (
        "POST",
        "api/greets",
        "",
        r#"{"name":"Ann"}"#,
        200,
        "Hello Ann",
    ),
    ("POST", "api/maybe", "", "", 200, "--"),
    (
        "POST",
        "api/maybe?name=B",
        JSON,
        r#"{"name":"A"}"#,
        200,
        "AB",
    ),
    ("GET", "api/maybe_form", "", "", 200, "false"),
    ("POST", "api/maybe_form", FORM, "a=b", 200, "true"),
    ("GET", "api/path/a%20b%252F/7", "", "", 200, "a b%2F 7"),
    ("GET", "api/path/a/x", "", "", 404, "*"),
    ("GET", "api/number/7", "", "", 200, "7 None"),
    ("GET", "api/number/7/8", "", "", 200, "7 Some(8)"),
    ("GET", "api/number/256", "", "", 404, ""),
    ("POST", "api/greets", JSON, "", 400, "*"),
    ("POST", "api/maybe", JSON, "{", 400, "*"),
    ("POST", "api/maybe", JSON, " ", 400, "*"),
    ("GET", "api/maybe?nome=B", "", "", 400, "*"),
    ("POST", "api/maybe_form", JSON, "{}", 415, "*"),
    ("GET", "api/guarded", "", "", 401, ""),
    ("GET", "api/guarded?code=wrong", "", "", 401, ""),
    ("GET", "api/x/off", "", "", 404, ""),
    ("GET", "api/none", "", "", 404, ""),
    ("GET", "admin/host/ping", "", "", 200, ""),
    ("DELETE", "admin/host/ping", "", "", 401, ""),
    ("GET", "own", "", "", 200, "own"),
    ("GET", "", "", "", 200, "*"),
];

#[tokio::test]
async fn requests_and_answers() {
    let folder = tempfile::tempdir().unwrap();
    // Not `Sync`, as the routes of an application need not be.
    let own = std::cell::Cell::new("own");
    let host = Host::new()
        .with_state(Greeting("Hello"))
        .with_script_root(folder.path())
        .with_address("127.0.0.1:0")
        .with_setting("AzureWebJobs.off.Disabled", "1")
        .with_setting(
            "AzureFunctionsJobHost__extensions__http__customHeaders__X-Own",
            "1",
        )
        .configure(move |config| {
            let text = own.get();
            config.route("/own", web::get().to(move || async move { text }));
        });
    let host = host.start().await.unwrap();
    let base = host.url().unwrap();
    let http = reqwest::Client::new();
    for &(method, path, content_type, body, status, text) in CASES {
        let method: Method = method.parse().unwrap();
        let mut request = http.request(method, base.join(path).unwrap()).body(body);
        if !content_type.is_empty() {
            request = request.header("content-type", content_type);
        }
        let response = request.send().await.unwrap();
        let custom = response.headers().contains_key("x-own");
        let found = (response.status().as_u16(), response.text().await.unwrap());
        assert_eq!(found.0, status, "{path}: {}", found.1);
        assert!(text == "*" || found.1 == text, "{path}: {}", found.1);
        assert!(custom || path == "own", "{path}");
    }
    let empty = http
        .get(base.join("api/whoami").unwrap())
        .send()
        .await
        .unwrap();
    let empty: Value = empty.json().await.unwrap();
    assert_eq!(empty["claims"], json!([]));
    host.shutdown().await.unwrap();
}
