//! [`Rehearsal`]: what a hub is given in place of the real thing.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::durable_http::{
    DurableHttpRequest, DurableHttpResponse, HttpAnswer, HttpDelivery, HttpExecutor,
};
use crate::error::Error;
use crate::function::ActivityInvocation;
use crate::hub::VirtualClock;
use crate::model::{FailureDetails, Payload};

/// Called in place of an activity.
pub type Mock = Arc<dyn Fn(&ActivityInvocation) -> Result<Payload, Error> + Send + Sync>;

/// Answers in place of every server.
pub(super) struct HttpMock<F>(pub(super) F);

impl<F> HttpExecutor for HttpMock<F>
where
    F: Fn(DurableHttpRequest) -> DurableHttpResponse + Send + Sync,
{
    fn execute(&self, delivery: HttpDelivery) -> BoxFuture<'_, Result<HttpAnswer, FailureDetails>> {
        async move { Ok(HttpAnswer::new(self.0(delivery.request))) }.boxed()
    }
}

/// The clock and the mocks of a test.
#[derive(Clone)]
pub struct Rehearsal {
    /// The hub's clock.
    pub clock: Arc<VirtualClock>,
    /// By the activity's name in lower case.
    pub mocks: BTreeMap<String, Mock>,
}

impl Rehearsal {
    pub(crate) fn mock(&self, activity: &str) -> Option<Mock> {
        self.mocks.get(&activity.to_lowercase()).cloned()
    }
}

impl fmt::Debug for Rehearsal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rehearsal")
            .field("clock", &self.clock)
            .field("mocks", &self.mocks.keys())
            .finish()
    }
}
