//! Lifecycle notifications over HTTP, in the form of Event Grid: any endpoint that takes a POST will do. When they are sent, and how
//! often, is the engine's business.

use std::fmt;
use std::time::Duration;

use durable_runtime::durable_http::redact_url;
use durable_runtime::hub::{Notification, Notifier, Told};
use durable_runtime::model::LifecycleStep;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde::Serialize;
use tokio::sync::OnceCell;
use url::Url;

use crate::call_http::{ClientFactory, error_text};

/// What the reference's receivers know their senders by.
const KEY: HeaderName = HeaderName::from_static("aeg-sas-key");
/// For one telling; shorter than the grace period of a host that stops.
const TIME: Duration = Duration::from_secs(20);

/// `extensions.durableTask.notifications.eventGrid`. Its `Debug` shows neither key nor the URL's secrets.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) endpoint: Url,
    pub(crate) key: Option<HeaderValue>,
    pub(crate) retries: u32,
    pub(crate) interval: Duration,
    /// After these, and 503, it is worth another attempt.
    pub(crate) retry_statuses: Vec<u16>,
    pub(crate) steps: Vec<LifecycleStep>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("endpoint", &redact_url(self.endpoint.as_str()))
            .field("steps", &self.steps)
            .finish_non_exhaustive()
    }
}

/// Posts them.
pub(crate) struct Webhook {
    settings: Settings,
    factory: Option<ClientFactory>,
    client: OnceCell<Result<reqwest::Client, String>>,
}

impl Webhook {
    pub(crate) const fn new(settings: Settings, factory: Option<ClientFactory>) -> Self {
        Self {
            settings,
            factory,
            client: OnceCell::const_new(),
        }
    }

    /// Built when the first one is sent: to read the certificates takes a while.
    async fn client(&self) -> Result<&reqwest::Client, String> {
        let factory = self.factory.clone();
        let build = move || {
            let builder = match factory {
                Some(factory) => factory(),
                None => {
                    let agent = concat!("durable-functions/", env!("CARGO_PKG_VERSION"));
                    reqwest::Client::builder().user_agent(agent)
                }
            };
            // The key is for this endpoint and no other.
            let builder = builder.redirect(reqwest::redirect::Policy::none());
            let built = builder.referer(false).timeout(TIME).build();
            built.map_err(|error| error_text(&error))
        };
        let built = self.client.get_or_init(|| async {
            let built = tokio::task::spawn_blocking(build).await;
            built.unwrap_or_else(|error| Err(error.to_string()))
        });
        built.await.as_ref().map_err(Clone::clone)
    }

    async fn post(&self, body: Vec<u8>) -> Told {
        let shown = redact_url(self.settings.endpoint.as_str());
        let client = match self.client().await {
            Ok(client) => client,
            Err(why) => return Told::Never(format!("{shown}: no client can be built: {why}")),
        };
        let mut request = client.post(self.settings.endpoint.clone());
        if let Some(key) = &self.settings.key {
            request = request.header(KEY, key);
        }
        let request = request.header(CONTENT_TYPE, "application/json; charset=utf-8");
        match request.body(body).send().await {
            Ok(answer) => self.judge(answer.status(), &shown),
            Err(error) => Told::Later(format!("{shown}: {}", error_text(&error))),
        }
    }

    fn judge(&self, status: StatusCode, shown: &str) -> Told {
        let text = || format!("{shown} answered {}", status.as_u16());
        if status.is_success() {
            Told::Taken
        } else if status == StatusCode::SERVICE_UNAVAILABLE
            || self.settings.retry_statuses.contains(&status.as_u16())
        {
            Told::Later(text())
        } else {
            Told::Never(text())
        }
    }
}

impl Notifier for Webhook {
    fn notify<'a>(&'a self, notification: Notification<'a>) -> BoxFuture<'a, Told> {
        async move {
            match serde_json::to_vec(&[Event::of(&notification)]) {
                Ok(body) => self.post(body).await,
                Err(error) => Told::Never(error.to_string()),
            }
        }
        .boxed()
    }
}

/// The wire form. The topic is left out: Event Grid sets it, and refuses others' ideas of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    id: uuid::Uuid,
    subject: String,
    data: Data<'a>,
    event_type: &'static str,
    event_time: String,
    data_version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    hub_name: &'a str,
    function_name: &'a str,
    instance_id: &'a str,
    reason: &'a str,
    runtime_status: &'static str,
}

impl<'a> Event<'a> {
    fn of(notification: &Notification<'a>) -> Self {
        let event = notification.event;
        let status = event.step.status().name();
        Self {
            id: event.id,
            subject: format!("durable/orchestrator/{status}"),
            data: Data {
                hub_name: notification.hub_name,
                function_name: &event.function,
                instance_id: notification.instance_id,
                reason: &event.reason,
                runtime_status: status,
            },
            event_type: "orchestratorEvent",
            event_time: event.at.round_trip(),
            data_version: "1.0",
        }
    }
}
