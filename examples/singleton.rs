//! Singleton: of one job there is at most one at a time, however often and from wherever it is started.
//!
//! ```console
//! $ cargo run --example singleton
//! $ curl -i -X POST http://127.0.0.1:7071/api/jobs/nightly
//! HTTP/1.1 202 Accepted
//! $ curl -i -X POST http://127.0.0.1:7071/api/jobs/nightly
//! HTTP/1.1 409 Conflict
//! $ curl http://127.0.0.1:7071/api/jobs/nightly
//! {"runs":0,"running":true}
//! ```
//!
//! Half a minute later it is done: the entity says `{"runs":1,"running":false}`, and the job may be started again.

use std::time::Duration;

use durable_functions::prelude::*;
use serde::{Deserialize, Serialize};

/// What is known of a job, over all its runs.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Log {
    runs: u32,
    running: bool,
}

#[entity_trigger]
impl Log {
    pub fn begin(&mut self) {
        self.running = true;
    }

    pub fn end(&mut self) {
        self.running = false;
        self.runs += 1;
    }
}

#[orchestration_trigger]
async fn job(ctx: OrchestrationContext) -> Result<()> {
    let log = ctx.entity::<Log>(ctx.instance_id());
    log.begin().await?;
    ctx.create_timer(Duration::from_secs(30)).await;
    log.end().await?;
    Ok(())
}

#[http_trigger(auth = "anonymous", methods = ["post"], route = "jobs/{name}")]
async fn start(
    req: HttpRequest,
    name: String,
    #[durable_client] client: DurableClient,
) -> Result<HttpResponse> {
    // An id that is in use is refused in the same transaction that looks for it: two starts never race.
    let id = client.start_new::<job>(()).with_instance_id(name).await?;
    Ok(client.create_check_status_response(&req, &id))
}

#[http_trigger(auth = "anonymous", methods = ["get"], route = "jobs/{name}")]
async fn log(name: String, #[durable_client] client: DurableClient) -> Result<Json<Option<Log>>> {
    Ok(Json(client.read_entity_state(name).await?))
}

durable_functions::main!();
