//! [`Rehearsal`]: what a hub is given in place of the real thing.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::error::Error;
use crate::function::ActivityInvocation;
use crate::hub::VirtualClock;
use crate::model::Payload;

/// Called in place of an activity.
pub type Mock = Arc<dyn Fn(&ActivityInvocation) -> Result<Payload, Error> + Send + Sync>;

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
