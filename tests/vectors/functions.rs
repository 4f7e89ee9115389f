//! The functions that the vectors call, under the names that the vectors give them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use actix_web::error::ErrorBadRequest;
use durable_functions::actix_web;
use durable_functions::prelude::*;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

/// What the slow functions wait for.
#[derive(Clone)]
pub(crate) struct Gate {
    /// Let through.
    pub(crate) open: Arc<Semaphore>,
    /// Got here.
    pub(crate) arrived: Arc<Semaphore>,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            open: Arc::new(Semaphore::new(0)),
            arrived: Arc::new(Semaphore::new(0)),
        }
    }
}

/// All values of a name, as the reference shows several.
fn joined(req: &HttpRequest, name: &str) -> String {
    let pairs = Query::<Vec<(String, String)>>::from_query(req.query_string());
    let pairs = pairs.map(Query::into_inner).unwrap_or_default();
    let values = pairs.into_iter().filter(|(known, _)| known == name);
    values.map(|(_, value)| value).collect::<Vec<_>>().join(",")
}

#[http_trigger(name = "HttpTrigger", methods = ["get", "post"])]
async fn http_trigger(req: HttpRequest) -> String {
    format!("Hello {}", joined(&req, "name"))
}

#[http_trigger(name = "Other")]
async fn other() -> &'static str {
    "other"
}

#[http_trigger(name = "AdminFn", auth = "admin")]
async fn admin_fn() -> &'static str {
    "admin"
}

#[http_trigger(name = "Anon", auth = "anonymous")]
async fn anon(who: ClientPrincipal) -> Json<ClientPrincipal> {
    Json(who)
}

#[http_trigger(name = "Who")]
async fn who(who: ClientPrincipal) -> Json<ClientPrincipal> {
    Json(who)
}

#[http_trigger(name = "Prod", auth = "anonymous", methods = ["get"], route = "products/{category:alpha}/{id:int?}")]
async fn prod(category: String, id: Option<i32>) -> Json<Value> {
    Json(json!({ "category": category, "id": id }))
}

#[http_trigger(name = "Opt", auth = "anonymous", methods = ["get"], route = "csharp/products/{category:alpha?}/{id:int?}/{extra?}")]
async fn opt(category: Option<String>, id: Option<i32>, extra: Option<String>) -> Json<Value> {
    Json(json!({ "category": category, "id": id, "extra": extra }))
}

#[http_trigger(name = "Guid", auth = "anonymous", methods = ["get"], route = "node/products/{category:alpha?}/{id:guid?}")]
async fn guid(category: Option<String>, id: Option<String>) -> Json<Value> {
    Json(json!({ "category": category, "id": id }))
}

#[http_trigger(name = "Disabled", methods = ["get"])]
async fn disabled() -> &'static str {
    "Hello World!"
}

#[http_trigger(name = "Void", auth = "anonymous")]
async fn void() {}

#[http_trigger(name = "Boom", auth = "anonymous")]
async fn boom() -> Result<()> {
    Err(Error::msg("the secret of the house"))
}

#[http_trigger(name = "Panics", auth = "anonymous")]
async fn panics() -> String {
    panic!("the secret of the house")
}

#[http_trigger(name = "Coded", auth = "anonymous")]
async fn coded() -> actix_web::Result<String> {
    Err(ErrorBadRequest(""))
}

#[http_trigger(name = "Says", auth = "anonymous")]
async fn says() -> &'static str {
    "x"
}

#[http_trigger(name = "Braces", auth = "anonymous")]
async fn braces() -> &'static str {
    r#"{"name": "test" }"#
}

#[http_trigger(name = "Typed", auth = "anonymous")]
async fn typed() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(r#"{"a":1}"#)
}

#[http_trigger(name = "Echo", auth = "anonymous")]
async fn echo(body: Bytes) -> Bytes {
    body
}

#[http_trigger(name = "Length", auth = "anonymous")]
async fn length(body: Bytes) -> String {
    body.len().to_string()
}

#[http_trigger(name = "Deaf", auth = "anonymous")]
async fn deaf() -> &'static str {
    "never looks at the body"
}

#[derive(Serialize, Deserialize)]
struct Item {
    id: u32,
    value: String,
}

#[http_trigger(name = "Item", auth = "anonymous")]
async fn item(item: Json<Item>) -> Json<Item> {
    item
}

#[http_trigger(name = "Listed", auth = "anonymous")]
async fn listed(query: Query<HashMap<String, String>>) -> Json<HashMap<String, String>> {
    Json(query.into_inner())
}

#[http_trigger(name = "Sleeps", auth = "anonymous")]
async fn sleeps() -> &'static str {
    tokio::time::sleep(Duration::from_secs(60)).await;
    "late"
}

#[http_trigger(name = "Slow", auth = "anonymous")]
async fn slow(gate: State<Gate>) -> Result<&'static str> {
    gate.arrived.add_permits(1);
    gate.open.acquire().await?.forget();
    Ok("slow")
}

#[http_trigger(name = "SlowGuarded")]
async fn slow_guarded() -> &'static str {
    "in"
}

#[http_trigger(name = "Custom", auth = "anonymous")]
async fn custom() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("x-content-type-options", "own"))
        .body("own")
}

#[http_trigger(name = "Hook", webhook = "genericJson")]
async fn hook(event: WebhookEvent, body: Bytes) -> Json<Value> {
    let body = String::from_utf8_lossy(&body);
    Json(
        json!({ "event": event.event, "client": event.client_id, "data": event.data, "body": body }),
    )
}

#[http_trigger(name = "GhHook", webhook = "github")]
async fn gh_hook(event: WebhookEvent) -> Json<Value> {
    Json(json!({ "event": event.event, "client": event.client_id, "data": event.data }))
}

#[http_trigger(name = "SlackHook", webhook = "slack")]
async fn slack_hook(event: WebhookEvent) -> Json<Value> {
    Json(json!({ "event": event.event, "subtext": event.subtext, "data": event.data }))
}

#[http_trigger(name = "TypedHook", webhook = "genericJson")]
async fn typed_hook(_event: WebhookEvent<Item>) {}

/// Functions that show one route value.
macro_rules! routes {
    ($($function:ident $name:literal $route:literal $value:ident;)*) => {$(
        #[http_trigger(name = $name, auth = "anonymous", route = $route)]
        async fn $function($value: Option<String>) -> Json<Value> {
            Json(json!({ "function": $name, "value": $value }))
        }
    )*};
}

routes! {
    default_value "T47" "trigger/{id}/{name=EMPTY}" name;
    catch_all "T48" "files/{*path}" path;
    complex "T50" "complex/{file}.{ext?}" file;
    ext "T50b" "ext/{file}.{ext?}" ext;
    in_range "T51" "x51/{n:range(18,120)}" n;
    length_of "T52" "x52/{s:length(3,5)}" s;
    min_length "T53a" "x53a/{s:minlength(4)}" s;
    max_length "T53b" "x53b/{s:maxlength(4)}" s;
    boolean "T54" "x54/{b:bool}" b;
    double "T55a" "x55a/{d:double}" d;
    decimal "T55b" "x55b/{d:decimal}" d;
    int "T56a" "x56a/{i:int}" i;
    long "T56b" "x56b/{i:long}" i;
    a_guid "T57" "x57/{g:guid}" g;
    date "T58" "x58/{d:datetime}" d;
    anchored "T59" "x59/{r:regex(^\\d{{3}}-\\d{{4}}$)}" r;
    anywhere "T60" "x60/{r:regex(ab)}" r;
    alpha "T61" "x61/{s:alpha}" s;
    a1 "A1" "x68/{v}" v;
    b2 "B2" "x69/{v}" v;
    setting "FromSetting" "%VectorRoute%/{v?}" v;
}

#[http_trigger(name = "B1", auth = "anonymous", route = "x68/fixed")]
async fn b1() -> &'static str {
    "B1"
}

#[http_trigger(name = "A2", auth = "anonymous", route = "x69/fixed")]
async fn a2() -> &'static str {
    "A2"
}

#[http_trigger(name = "GetBaz", auth = "anonymous", methods = ["get"], route = "/foo/bar/baz/")]
async fn get_baz() -> &'static str {
    "get"
}

#[http_trigger(name = "PostBaz", auth = "anonymous", methods = ["post"], route = "FOO/bar/baz")]
async fn post_baz() -> &'static str {
    "post"
}

/// Waits for the event `go` and returns its data.
#[orchestration_trigger(name = "E1")]
async fn e1(ctx: OrchestrationContext) -> Result<Value> {
    Ok(ctx.wait_for_external_event::<Value>("go").await?)
}

/// Returns its input.
#[orchestration_trigger(name = "EchoOrchestrator")]
async fn echo_orchestrator(_ctx: OrchestrationContext, input: Value) -> Value {
    input
}

#[orchestration_trigger(name = "BoomOrchestrator")]
async fn boom_orchestrator(_ctx: OrchestrationContext) -> Result<()> {
    Err(Error::msg("it broke"))
}

#[activity_trigger(name = "Greet")]
async fn greet(name: String) -> String {
    format!("Hello, {name}!")
}

#[orchestration_trigger(name = "OneActivity")]
async fn one_activity(ctx: OrchestrationContext, name: String) -> Result<String> {
    Ok(ctx.call_activity::<greet>(name).await?)
}
