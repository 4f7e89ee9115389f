//! [`WebhookEvent`]: what a webhook says, as its function takes it.

use actix_web::dev::Payload;
use actix_web::error::ErrorBadRequest;
use actix_web::web::Bytes;
use actix_web::{Error, FromRequest, HttpMessage as _, HttpRequest};
use futures::FutureExt as _;
use futures::future::{LocalBoxFuture, ready};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::secret::{Ask, client_id, query};
use super::{media_type, slack};

/// What an event is called that says nothing of itself.
pub(super) const CHANGE: &str = "change";

/// What the receiver of a 1.x webhook (`webhook = ".."`) read: take it instead of the raw body.
///
/// `data` is the JSON body; of Slack, an object of the form's fields, without the token. Whoever calls with the master key needs no
/// receiver: then it is read from what there is, and an empty body is `null`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookEvent<T = Value> {
    /// What happened: GitHub's event, Slack's trigger word or command, the query's `action`, else `change`.
    pub event: String,
    /// The name of the key that the sender used.
    pub client_id: String,
    /// What follows Slack's trigger word or command.
    pub subtext: Option<String>,
    /// What was sent.
    pub data: T,
}

/// The same before anybody asks for its data.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) event: String,
    pub(super) client_id: String,
    pub(super) subtext: Option<String>,
    pub(super) data: Bytes,
}

impl Received {
    pub(super) fn of(event: String, ask: &Ask<'_>, data: Bytes) -> Self {
        Self {
            event,
            client_id: ask.client_id.clone(),
            subtext: None,
            data,
        }
    }

    /// Of a request that no receiver looked at.
    fn unchecked(req: &HttpRequest, body: Bytes) -> Result<Self, Error> {
        let mut received = Self {
            event: query(req, "action").unwrap_or_else(|| CHANGE.to_owned()),
            client_id: client_id(req),
            subtext: None,
            data: body,
        };
        if let Some(Ok(event)) = req
            .headers()
            .get("x-github-event")
            .map(|event| event.to_str())
        {
            event.clone_into(&mut received.event);
        }
        if media_type(req.headers()) == slack::FORM {
            let mut fields = slack::fields(&received.data)
                .map_err(|_| ErrorBadRequest("the form is not UTF-8"))?;
            fields.remove("token");
            if let Some((event, subtext)) = slack::event(&fields) {
                (received.event, received.subtext) = (event, subtext);
            }
            received.data = Bytes::from(Value::Object(fields).to_string());
        }
        Ok(received)
    }

    fn read<T: DeserializeOwned>(self) -> Result<WebhookEvent<T>, Error> {
        let text: &[u8] = if self.data.is_empty() {
            b"null"
        } else {
            &self.data
        };
        let data = serde_json::from_slice(text).map_err(|error| {
            ErrorBadRequest(format!(
                "the webhook's data is not the expected one: {error}"
            ))
        })?;
        Ok(WebhookEvent {
            event: self.event,
            client_id: self.client_id,
            subtext: self.subtext,
            data,
        })
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for WebhookEvent<T> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        if let Some(received) = req.extensions().get::<Received>() {
            return ready(received.clone().read()).boxed_local();
        }
        let (req, body) = (req.clone(), Bytes::from_request(req, payload));
        async move { Received::unchecked(&req, body.await?)?.read() }.boxed_local()
    }
}
