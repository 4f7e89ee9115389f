//! [`TimerInvocation`]: one run of a timer function, from which its parameters are bound.

use std::sync::Arc;

use super::TimerInfo;
use crate::client::DurableClient;
use crate::error::Error;
use crate::function::missing_state;
use crate::state::{State, States};

/// One run of a timer function, from which its parameters are bound.
#[derive(Debug)]
pub struct TimerInvocation {
    pub(crate) function: &'static str,
    pub(crate) info: TimerInfo,
    pub(crate) states: Arc<States>,
    pub(crate) client: DurableClient,
}

impl TimerInvocation {
    /// What it can know of the run.
    #[must_use]
    pub fn info(&self) -> TimerInfo {
        self.info.clone()
    }

    /// A state.
    ///
    /// # Errors
    /// A state that nobody gave; a host reports that at its start.
    pub fn state<S: Send + Sync + 'static>(&self) -> Result<State<S>, Error> {
        let missing = || Error::msg(missing_state(self.function, std::any::type_name::<S>()));
        self.states.get::<S>().ok_or_else(missing)
    }

    /// A client of the hub.
    ///
    /// # Errors
    /// A task hub or connection that this host cannot reach.
    pub fn client(
        &self,
        task_hub: Option<&'static str>,
        connection: Option<&'static str>,
    ) -> Result<DurableClient, Error> {
        Ok(self.client.of(task_hub, connection)?)
    }
}
