//! The functions of a crate, run by another one.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use another_crate::checkout::{Counter, checkout};
use engine::testing::TestHost;

#[tokio::test]
async fn functions_of_another_crate_are_registered_and_called_by_type() {
    let host = TestHost::within("another_crate").start().await.unwrap();
    let status = host.run::<checkout>(40).await.unwrap();
    assert_eq!(status.output_as::<i64>().unwrap(), 40);
    let failure = host.run::<checkout>(100).await.unwrap().failure.unwrap();
    let cause = failure.inner.unwrap();
    assert_eq!(cause.message, "100 is too much");
    assert!(cause.error_type.ends_with("Declined"), "{cause:?}");
    let counter = host.client().read_entity_state::<Counter>("charged").await;
    assert!(counter.unwrap().is_some());
}
