//! The trace context of whoever started an instance goes out with its requests.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use durable_functions::prelude::*;
use durable_functions::reqwest;

use crate::host::proxy;
use crate::server::Server;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const OTHER: &str = "00-11111111111111111111111111111111-2222222222222222-00";

#[orchestration_trigger]
async fn by_child(ctx: OrchestrationContext, request: DurableHttpRequest) -> Result<()> {
    ctx.call_sub_orchestrator::<proxy>(request).await?;
    Ok(())
}

#[http_trigger(auth = "anonymous", methods = ["post"], route = "traced/{own}")]
async fn traced(
    own: bool,
    req: HttpRequest,
    #[durable_client] client: DurableClient,
    request: web::Json<DurableHttpRequest>,
) -> Result<HttpResponse> {
    let start = client.start_new::<by_child>(request.into_inner());
    let id = match own {
        true => start.with_trace_parent(OTHER).await?,
        false => start.await?,
    };
    Ok(client.create_check_status_response(&req, id))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn context_of_the_starting_request_reaches_the_server() {
    let (server, folder) = (Server::start().await, tempfile::tempdir().unwrap());
    let host = Host::new()
        .with_script_root(folder.path())
        .with_address("127.0.0.1:0")
        .with_auth(false);
    let host = host.start().await.unwrap();
    let (base, http) = (host.url().unwrap(), reqwest::Client::new());
    let webhook = "runtime/webhooks/durabletask/orchestrators/by_child";
    let both: &[(&str, &str)] = &[
        ("traceparent", PARENT),
        ("tracestate", "a=1"),
        ("tracestate", "b=2"),
    ];
    for (path, headers, seen) in [
        ("api/traced/false", both, (Some(PARENT), Some("a=1,b=2"))),
        (webhook, both, (Some(PARENT), Some("a=1,b=2"))),
        ("api/traced/false", &both[..1], (Some(PARENT), None)),
        ("api/traced/false", &both[1..], (None, None)),
        ("api/traced/false", &[], (None, None)),
        ("api/traced/true", both, (Some(OTHER), None)),
    ] {
        let request = DurableHttpRequest::get(server.url("/ok"));
        let mut post = http.post(base.join(path).unwrap()).json(&request);
        for (name, value) in headers {
            post = post.header(*name, *value);
        }
        let answer = post.send().await.unwrap();
        assert_eq!(answer.status(), 202, "{path}");
        let links: Value = answer.json().await.unwrap();
        let id = links["id"].as_str().unwrap();
        let end = host
            .client()
            .wait_for_completion(id, Duration::from_secs(60));
        assert_eq!(end.await.unwrap().runtime_status, RuntimeStatus::Completed);
        let last = server.seen().pop().unwrap();
        let sent = (last.header("traceparent"), last.header("tracestate"));
        assert_eq!(sent, seen, "{path} {headers:?}");
    }
    host.shutdown().await.unwrap();
}
