//! Critical section: money moves between two accounts that nobody else touches meanwhile.
//!
//! ```console
//! $ cargo run --example bank_transfer
//! $ curl -d 100 http://127.0.0.1:7071/api/accounts/alice
//! 100
//! $ curl -d '{"from":"alice","to":"bob","amount":30}' http://127.0.0.1:7071/api/transfers
//! "alice has 70, bob has 30"
//! $ curl -d '{"from":"alice","to":"bob","amount":300}' http://127.0.0.1:7071/api/transfers
//! "alice has only 70"
//! ```
//!
//! A kill between the two halves of a transfer does not split it: the locks are durable, and so is the place where it goes on.

use std::time::Duration;

use durable_functions::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Debug, Default, Serialize, Deserialize)]
struct Account {
    balance: i64,
}

#[entity_trigger]
impl Account {
    pub fn deposit(&mut self, amount: i64) -> i64 {
        self.balance += amount;
        self.balance
    }

    pub fn balance(&self) -> i64 {
        self.balance
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Transfer {
    from: String,
    to: String,
    amount: u32,
}

#[orchestration_trigger]
async fn transfer(ctx: OrchestrationContext, order: Transfer) -> Result<String> {
    let Transfer { from, to, amount } = order;
    let ids = [&from, &to].map(EntityId::of::<Account>);
    let _section = ctx.lock_entities(ids).await?;
    let (source, target) = (ctx.entity::<Account>(&from), ctx.entity::<Account>(&to));
    let (balance, amount) = (source.balance().await?, i64::from(amount));
    if balance < amount {
        return Ok(format!("{from} has only {balance}"));
    }
    let left = source.deposit(-amount).await?;
    let now = target.deposit(amount).await?;
    Ok(format!("{from} has {left}, {to} has {now}"))
}

#[http_trigger(auth = "anonymous", methods = ["post"], route = "accounts/{name}")]
async fn deposit(
    name: String,
    amount: Json<u32>,
    #[durable_client] client: DurableClient,
) -> Result<Json<i64>> {
    let account = client.entity::<Account>(name);
    Ok(Json(account.deposit(i64::from(*amount)).await?))
}

#[http_trigger(auth = "anonymous", methods = ["post"], route = "transfers")]
async fn order(
    req: HttpRequest,
    order: Json<Transfer>,
    #[durable_client] client: DurableClient,
) -> Result<HttpResponse> {
    let id = client.start_new::<transfer>(order.into_inner()).await?;
    let (patience, interval) = (Duration::from_secs(10), Duration::from_millis(100));
    let response =
        client.wait_for_completion_or_create_check_status_response(&req, &id, patience, interval);
    Ok(response.await?)
}

durable_functions::main!();
