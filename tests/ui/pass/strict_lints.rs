//! What is generated breaks no lint of a strict crate, and no import of an attribute is unused.
#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    missing_copy_implementations,
    unreachable_pub,
    unused_qualifications
)]
#![forbid(unsafe_code)]

use durable_functions::prelude::{
    DurableClient, EntityContext, OrchestrationContext, State, TimerInfo,
};
use durable_functions::{
    activity_trigger, allow_nondeterminism, durable_client, entity_trigger, http_trigger,
    orchestration_trigger, timer_trigger,
};

/// Every kind of parameter.
#[activity_trigger(name = "All-of-them")]
pub async fn all(
    #[durable_client(task_hub = "Other")] client: DurableClient,
    (a, b): (i64, i64),
    mut limit: State<u32>,
) -> durable_functions::Result<i64> {
    let _ = (client, &mut limit);
    Ok(a + b)
}

#[durable_client]
#[activity_trigger]
async fn above(client: DurableClient) {
    drop(client);
}

#[activity_trigger]
#[durable_client]
async fn below(client: DurableClient) {
    drop(client);
}

#[activity_trigger]
#[deprecated]
fn old() {}

#[orchestration_trigger]
async fn lifted(_ctx: OrchestrationContext) -> bool {
    #[allow_nondeterminism]
    let now = std::time::SystemTime::now();
    now.elapsed().is_ok()
}

#[http_trigger]
fn silent() {}

/// Runs at nine.
#[timer_trigger(schedule = "0 0 9 * * *", run_on_startup)]
pub async fn at_nine(
    mut timer: TimerInfo,
    limit: State<u32>,
    #[durable_client] client: DurableClient,
) -> durable_functions::Result<()> {
    let _ = (&mut timer, limit, client);
    Ok(())
}

#[timer_trigger(schedule = "%SOME%", run_on_startup = false)]
fn some_time() {}

/// State that everybody can name.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Counter {
    value: i64,
    notes: Vec<String>,
}

#[entity_trigger]
impl Counter {
    /// Adds.
    pub fn add(&mut self, mut n: i64, _ctx: &mut EntityContext, limit: State<u32>) {
        n += i64::from(*limit);
        self.value += n;
    }
    /// What it is.
    #[must_use]
    pub const fn get(&self) -> i64 {
        self.value
    }
    /// Once.
    #[deprecated]
    pub async fn old(&self, #[durable_client] client: DurableClient, (a, b): (i64, i64)) {
        drop((client, a + b, &self.notes));
    }
    #[allow(non_snake_case)]
    #[doc(hidden)]
    pub fn Odd(&self) {}
}

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Money(i64);

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Account {
    money: Money,
}

#[entity_trigger]
impl Account {
    pub fn pay(&mut self, money: Money) -> durable_functions::Result<Money> {
        self.money.0 -= money.0;
        Ok(money)
    }
}

#[entity_trigger]
async fn relay(_ctx: &mut EntityContext) {}

/// Functions inside functions are registered too.
pub fn outer() {
    #[activity_trigger]
    async fn inner() {}

    #[derive(Default, serde::Serialize, serde::Deserialize)]
    struct Inner;

    #[entity_trigger]
    impl Inner {
        pub fn touch(&self) {}
    }
}

fn main() {}
