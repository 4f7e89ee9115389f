//! Tests of an application: a hub in memory with a clock that skips waiting, mocks in place of activities, and replay of recorded histories.
//!
//! ```
//! use std::time::Duration;
//!
//! use durable_functions::prelude::*;
//! use durable_functions::testing::TestHost;
//!
//! #[activity_trigger]
//! async fn ask_the_bank(cents: u64) -> Result<String> {
//!     Err(Error::msg("no bank here"))
//! }
//!
//! #[orchestration_trigger]
//! async fn pay_later(ctx: OrchestrationContext, cents: u64) -> Result<String> {
//!     ctx.create_timer(Duration::from_secs(30 * 24 * 3600)).await;
//!     let policy = RetryPolicy::new(3, Duration::from_secs(3600));
//!     Ok(ctx.call_activity::<ask_the_bank>(cents).with_retry(policy).await?)
//! }
//!
//! # #[allow(clippy::needless_doctest_main)]
//! # fn main() -> Result<()> { tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(test()) }
//! // #[tokio::test]
//! async fn test() -> Result<()> {
//!     let host = TestHost::within(module_path!())
//!         .mock_activity::<ask_the_bank>(|cents| Ok(format!("{cents} paid")))
//!         .start()
//!         .await?;
//!     let began = host.now();
//!     let status = host.run::<pay_later>(99).await?;
//!     assert_eq!(status.output_as::<String>()?, "99 paid");
//!     assert_eq!(host.now(), began + Duration::from_secs(30 * 24 * 3600));
//!     Ok(())
//! }
//! ```
//!
//! Functions may also be called as the plain functions that they are: [`State::new`](crate::State::new), [`activity_context`],
//! [`entity_context`] and [`timer_info`] make their arguments.
//! Whether code still fits the instances that are under way is what [`replay`] tells, of histories that `instances export` printed.

pub use durable_runtime::testing::{
    History, RunningTestHost, TestHost, activity_context, replay, timer_info,
};
