//! Functions of a crate that calls the product `engine`, has a `Result` of its own, and takes no warning and no unsafe code.
#![deny(warnings)]
#![forbid(unsafe_code)]
#![allow(clippy::missing_errors_doc, reason = "these functions are for a test")]

/// The crate's own.
pub type Result<T, E = Declined> = std::result::Result<T, E>;

/// The crate's own error.
#[derive(Debug)]
pub struct Declined(u32);

impl std::fmt::Display for Declined {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is too much", self.0)
    }
}

impl std::error::Error for Declined {}

/// Charges.
#[engine::activity_trigger]
pub async fn charge(amount: u32) -> Result<u32> {
    match amount {
        ..100 => Ok(amount),
        _ => Err(Declined(amount)),
    }
}

/// What stands in a module of its own.
pub mod checkout {
    use engine::prelude::*;

    /// Charges, and keeps count.
    #[orchestration_trigger]
    pub async fn checkout(ctx: OrchestrationContext, amount: u32) -> Result<i64> {
        let charged = ctx.call_activity::<super::charge>(amount).await?;
        let counter = ctx.entity::<Counter>("charged");
        Ok(counter.add(i64::from(charged)).await?)
    }

    /// A sum.
    #[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
    pub struct Counter {
        sum: i64,
    }

    #[entity_trigger]
    impl Counter {
        /// Adds.
        pub fn add(&mut self, n: i64) -> i64 {
            self.sum += n;
            self.sum
        }
    }

    /// Starts.
    #[http_trigger(route = "checkout/{amount}")]
    pub async fn order(
        #[durable_client] client: DurableClient,
        amount: u32,
    ) -> Result<String, actix_web::Error> {
        Ok(client.start_new::<checkout>(amount).await?)
    }

    /// Starts every night.
    #[timer_trigger(schedule = "0 0 3 * * *")]
    pub async fn nightly(#[durable_client] client: DurableClient) -> Result<()> {
        client.start_new::<checkout>(1).await?;
        Ok(())
    }

    use engine::actix_web;
}
