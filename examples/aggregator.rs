//! Aggregator: events arrive over HTTP, an entity for each name adds them up, and anyone may read the sum.
//!
//! ```console
//! $ cargo run --example aggregator
//! $ curl -i -d 5 http://127.0.0.1:7071/api/counters/apples
//! HTTP/1.1 202 Accepted
//! $ curl -d 7 http://127.0.0.1:7071/api/counters/apples
//! $ curl http://127.0.0.1:7071/api/counters/apples
//! {"events":2,"sum":12}
//! $ curl -X DELETE http://127.0.0.1:7071/api/counters/apples
//! ```
//!
//! 202 says that the event is stored; it is counted a moment later. Kill the host with `kill -9` right after it and start it again: the
//! event is counted, and counted once.

use durable_functions::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Debug, Default, Serialize, Deserialize)]
struct Counter {
    events: u64,
    sum: i64,
}

#[entity_trigger]
impl Counter {
    pub fn add(&mut self, n: i64) {
        self.events += 1;
        self.sum += n;
    }
}

#[http_trigger(auth = "anonymous", methods = ["post"], route = "counters/{name}")]
async fn count(
    name: String,
    n: Json<i64>,
    #[durable_client] client: DurableClient,
) -> Result<HttpResponse> {
    client.entity::<Counter>(name).signal().add(*n).await?;
    Ok(HttpResponse::Accepted().finish())
}

#[http_trigger(auth = "anonymous", methods = ["get"], route = "counters/{name}")]
async fn read(
    name: String,
    #[durable_client] client: DurableClient,
) -> Result<Json<Option<Counter>>> {
    Ok(Json(client.read_entity_state(name).await?))
}

#[http_trigger(auth = "anonymous", methods = ["delete"], route = "counters/{name}")]
async fn forget(name: String, #[durable_client] client: DurableClient) -> Result<()> {
    client.entity::<Counter>(name).delete().await?;
    Ok(())
}

durable_functions::main!();
