//! Tests of an application: a hub in memory with a clock that skips waiting, mocks in place of activities, and replay of recorded histories.
//!
//! [`TestHost`] runs orchestrations as a host would, without a port and without waiting:
//!
//! ```
//! use durable_runtime::testing::TestHost;
//! # use durable_macros::{activity_trigger, orchestration_trigger};
//! # use durable_runtime::{OrchestrationContext, Result, RuntimeStatus};
//! # use std::time::Duration;
//!
//! #[activity_trigger]
//! async fn charge(cents: u64) -> Result<String> {
//!     panic!("not in a test")
//! }
//!
//! #[orchestration_trigger]
//! async fn pay_later(ctx: OrchestrationContext, cents: u64) -> Result<String> {
//!     ctx.create_timer(Duration::from_secs(30 * 24 * 3600)).await;
//!     Ok(ctx.call_activity::<charge>(cents).await?)
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<()> {
//! let host = TestHost::within(module_path!())
//!     .mock_activity::<charge>(|cents| Ok(format!("{cents} paid")))
//!     .start()
//!     .await?;
//! let status = host.run::<pay_later>(99).await?;
//! assert_eq!(status.runtime_status, RuntimeStatus::Completed);
//! assert_eq!(status.output_as::<String>()?, "99 paid");
//! # Ok(())
//! # }
//! ```
//!
//! Functions may also be called as the plain functions that they are: [`State::new`](crate::State::new), [`activity_context`],
//! [`entity_context`] and [`timer_info`] make their arguments.

mod contexts;
mod history;
mod host;
mod rehearsal;
mod replay;
mod scope;

pub use contexts::{activity_context, entity_context, entity_context_of, timer_info};
pub use history::History;
pub use host::{RunningTestHost, TestHost};
#[doc(hidden)]
pub use rehearsal::{Mock, Rehearsal};
pub use replay::replay;
