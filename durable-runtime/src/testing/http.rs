//! [`MockHttp`]: answers `call_http` in place of a network.

use std::sync::Arc;

use futures::future::BoxFuture;

use crate::durable_http::{
    DurableHttpRequest, DurableHttpResponse, HttpAnswer, HttpDelivery, HttpExecutor, HttpFailure,
};
use crate::model::FailureDetails;

type Answer = dyn Fn(DurableHttpRequest) -> DurableHttpResponse + Send + Sync;

/// What a test answers; `None`: every request fails.
pub(super) struct MockHttp(pub(super) Option<Arc<Answer>>);

impl HttpExecutor for MockHttp {
    fn execute(&self, delivery: HttpDelivery) -> BoxFuture<'_, Result<HttpAnswer, FailureDetails>> {
        let answer = self.0.clone();
        Box::pin(async move {
            let Some(answer) = answer else {
                let text = "a test host sends nothing: give `TestHost::mock_http(|request| ..)`";
                return Err(HttpFailure::Invalid.details(text));
            };
            // On the blocking pool: it may wait for the test.
            match tokio::task::spawn_blocking(move || answer(delivery.request)).await {
                Ok(response) => Ok(HttpAnswer::new(response)),
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Err(error) => Err(HttpFailure::Invalid.details(error.to_string())),
            }
        })
    }
}
