//! [`HttpDurableClient`]: what the client of the engine can do where there is HTTP.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use durable_runtime::{ClientError, DurableClient};
use serde::{Deserialize, Serialize};

use crate::host::Shared;
use crate::webhooks::{Links, Waiting};

/// How the state of an instance is to be answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CheckStatusOptions {
    /// Whether a failed instance is answered with 500 instead of 200.
    pub return_internal_server_error_on_failure: bool,
}

/// The links by which an instance is managed. They hold a key: whoever has them may use them. `Debug` shows the id only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct HttpManagementPayload {
    /// The instance.
    pub id: String,
    /// GET: its status.
    pub status_query_get_uri: String,
    /// POST: raises an event; `{eventName}` is to be replaced.
    pub send_event_post_uri: String,
    /// POST: ends it; `{text}` is to be replaced by a reason.
    pub terminate_post_uri: String,
    /// POST: takes up a failed instance where it failed.
    pub rewind_post_uri: String,
    /// DELETE: removes it with its history.
    pub purge_history_delete_uri: String,
    /// POST: starts it once more with its input.
    pub restart_post_uri: String,
    /// POST: halts it.
    pub suspend_post_uri: String,
    /// POST: lets it go on.
    pub resume_post_uri: String,
}

impl fmt::Debug for HttpManagementPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpManagementPayload")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The methods of [`DurableClient`] that answer HTTP requests.
pub trait HttpDurableClient {
    /// 202 with the links by which the instance is watched and managed, as the sender of the request can follow them.
    fn create_check_status_response(&self, req: &HttpRequest, id: impl AsRef<str>) -> HttpResponse {
        self.create_check_status_response_with(req, id, CheckStatusOptions::default())
    }

    /// The same, with options.
    fn create_check_status_response_with(
        &self,
        req: &HttpRequest,
        id: impl AsRef<str>,
        options: CheckStatusOptions,
    ) -> HttpResponse;

    /// The links alone, as the sender of the request can follow them.
    fn create_http_management_payload(
        &self,
        req: &HttpRequest,
        id: impl AsRef<str>,
    ) -> HttpManagementPayload;

    /// The links alone, by the host's own name: for functions that no request started.
    fn create_http_management_payload_for(&self, id: impl AsRef<str>) -> HttpManagementPayload;

    /// Waits until the instance has ended and answers with its output; or, when it takes longer than `timeout`, with the links.
    ///
    /// # Errors
    /// [`ClientError::InvalidArgument`] when `retry_interval` is longer than `timeout`; [`ClientError::Unavailable`].
    fn wait_for_completion_or_create_check_status_response(
        &self,
        req: &HttpRequest,
        id: impl AsRef<str>,
        timeout: Duration,
        retry_interval: Duration,
    ) -> impl Future<Output = Result<HttpResponse, ClientError>> + 'static {
        let options = CheckStatusOptions::default();
        self.wait_for_completion_or_create_check_status_response_with(
            req,
            id,
            timeout,
            retry_interval,
            options,
        )
    }

    /// The same, with options.
    ///
    /// # Errors
    /// As above.
    fn wait_for_completion_or_create_check_status_response_with(
        &self,
        req: &HttpRequest,
        id: impl AsRef<str>,
        timeout: Duration,
        retry_interval: Duration,
        options: CheckStatusOptions,
    ) -> impl Future<Output = Result<HttpResponse, ClientError>> + 'static;
}

impl HttpDurableClient for DurableClient {
    fn create_check_status_response_with(
        &self,
        req: &HttpRequest,
        id: impl AsRef<str>,
        options: CheckStatusOptions,
    ) -> HttpResponse {
        let error_on_failure = options.return_internal_server_error_on_failure;
        links(req, self).check_status(id.as_ref(), error_on_failure)
    }

    fn create_http_management_payload(
        &self,
        req: &HttpRequest,
        id: impl AsRef<str>,
    ) -> HttpManagementPayload {
        links(req, self).payload(id.as_ref(), false)
    }

    fn create_http_management_payload_for(&self, id: impl AsRef<str>) -> HttpManagementPayload {
        let shared = Shared::serving(self);
        Links::of_host(self, shared.as_deref()).payload(id.as_ref(), false)
    }

    fn wait_for_completion_or_create_check_status_response_with(
        &self,
        req: &HttpRequest,
        id: impl AsRef<str>,
        timeout: Duration,
        retry_interval: Duration,
        options: CheckStatusOptions,
    ) -> impl Future<Output = Result<HttpResponse, ClientError>> + 'static {
        let waiting = Waiting {
            client: self.clone(),
            links: links(req, self),
            query: req.query_string().to_owned(),
            timeout,
            retry_interval,
            error_on_failure: options.return_internal_server_error_on_failure,
        };
        let id = id.as_ref().to_owned();
        async move { waiting.answer(&id).await }
    }
}

fn links(req: &HttpRequest, client: &DurableClient) -> Links {
    let here = req
        .app_data::<web::Data<Shared>>()
        .map(|shared| Arc::clone(shared));
    let shared = here.or_else(|| Shared::serving(client));
    Links::seen_by(req, client, shared.as_deref())
}
