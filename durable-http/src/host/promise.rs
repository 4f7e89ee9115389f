//! [`Promise`]: the client of a host that may never run.

use durable_runtime::DurableClient;

/// The client of a host that may never run. When it is dropped before that, whoever waits is told.
#[derive(Debug)]
pub(super) struct Promise(DurableClient);

impl Promise {
    pub(super) fn new() -> Self {
        Self(DurableClient::unbound())
    }

    pub(super) fn client(&self) -> DurableClient {
        self.0.clone()
    }

    /// What the hub is bound to when it starts.
    pub(super) fn of_hub(&self) -> &DurableClient {
        &self.0
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        // Without effect once a hub is bound.
        self.0.abandon("the host did not start");
    }
}

#[cfg(test)]
mod tests {
    use durable_runtime::ClientError;

    use crate::Host;

    #[tokio::test]
    async fn a_client_of_a_host_that_never_ran_says_so() {
        let client = Host::new().client();
        let status = client.get_status("x").await;
        assert!(
            matches!(status, Err(ClientError::Unavailable(_))),
            "{status:?}"
        );
    }
}
