//! The hub through a running host: its webhooks and its administration API, with the master key.

use std::time::Duration;

use durable_runtime::model::{EntityOperation, Payload};
use durable_runtime::{CleanedEntities, EntityId};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use url::Url;

use super::failure::Failure;
use super::reach::KEY_VARIABLE;
use super::request::{Filter, Message, NewStart};
use crate::keys::Secret;

const WEBHOOKS: [&str; 3] = ["runtime", "webhooks", "durabletask"];
const CONTINUATION: &str = "x-ms-continuation-token";

/// A running host.
pub(super) struct Remote {
    url: Url,
    master: Secret,
    client: Client,
}

impl Remote {
    pub(super) fn new(url: Url, master: Secret, announced: bool) -> Result<Self, Failure> {
        #[cfg(feature = "tls")]
        // Another part of the program may have chosen already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().connect_timeout(Duration::from_secs(5));
        // A host on this machine that this hub's own lock file names may have any certificate: it is made out to another name.
        #[cfg(feature = "tls")]
        let client = client.tls_danger_accept_invalid_certs(announced && is_loopback(&url));
        #[cfg(not(feature = "tls"))]
        let _ = announced;
        let client = client.build().map_err(|error| Failure::Unreachable {
            url: url.to_string(),
            problem: error.to_string(),
        })?;
        Ok(Self {
            url,
            master,
            client,
        })
    }

    pub(super) async fn list(&self, filter: &Filter) -> Result<Vec<Box<RawValue>>, Failure> {
        let mut all = Vec::new();
        let mut token: Option<String> = None;
        while all.len() < filter.top {
            let pairs = filter.pairs(filter.top - all.len());
            let mut request = self.webhook(Method::GET, &["instances"], &pairs)?;
            if let Some(token) = &token {
                request = request.header(CONTINUATION, token);
            }
            let response = self.send(request, "").await?;
            let next = response.headers().get(CONTINUATION);
            token = next
                .and_then(|token| token.to_str().ok())
                .filter(|token| !token.is_empty())
                .map(str::to_owned);
            all.extend(self.read::<Vec<Box<RawValue>>>(response).await?);
            if token.is_none() {
                break;
            }
        }
        all.truncate(filter.top);
        Ok(all)
    }

    pub(super) async fn get(&self, id: &str) -> Result<Box<RawValue>, Failure> {
        let pairs = [("showPendingWork", "true".to_owned())];
        let request = self.webhook(Method::GET, &["instances", id], &pairs)?;
        let response = self.send(request, id).await?;
        self.read(response).await
    }

    pub(super) async fn history(&self, id: &str) -> Result<Vec<Value>, Failure> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Shown {
            #[serde(default)]
            history_events: Vec<Value>,
        }
        let pairs = ["showHistory", "showHistoryOutput", "showInput"];
        let pairs = pairs.map(|name| (name, "true".to_owned()));
        let request = self.webhook(Method::GET, &["instances", id], &pairs)?;
        let response = self.send(request, id).await?;
        Ok(self.read::<Shown>(response).await?.history_events)
    }

    pub(super) async fn restart(&self, id: &str, same_id: bool) -> Result<String, Failure> {
        #[derive(Deserialize)]
        struct Started {
            id: String,
        }
        let pairs = [("restartWithNewInstanceId", (!same_id).to_string())];
        let request = self.webhook(Method::POST, &["instances", id, "restart"], &pairs)?;
        let response = self.send(request, id).await?;
        Ok(self.read::<Started>(response).await?.id)
    }

    pub(super) async fn start(&self, start: &NewStart) -> Result<String, Failure> {
        #[derive(Deserialize)]
        struct Started {
            id: String,
        }
        let mut path = vec!["orchestrators", &start.name];
        path.extend(start.id.as_deref());
        let version = start.version.clone().map(|version| ("version", version));
        let pairs: Vec<_> = version.into_iter().collect();
        let mut request = self.webhook(Method::POST, &path, &pairs)?;
        if let Some(input) = &start.input {
            request = request
                .header(CONTENT_TYPE, "application/json")
                .body(input.as_str().to_owned());
        }
        let response = self.send(request, "").await?;
        Ok(self.read::<Started>(response).await?.id)
    }

    pub(super) async fn tell(&self, id: &str, message: &Message) -> Result<(), Failure> {
        let path = match message {
            Message::Event { name, .. } => vec!["instances", id, "raiseEvent", name],
            _ => vec!["instances", id, message.verb()],
        };
        let mut pairs = Vec::new();
        pairs.extend(message.reason().map(|reason| ("reason", reason.to_owned())));
        if let Message::Terminate {
            recursive: true, ..
        } = message
        {
            pairs.push(("recursive", "true".to_owned()));
        }
        let mut request = self.webhook(Method::POST, &path, &pairs)?;
        if let Message::Event { data, .. } = message {
            request = request
                .header(CONTENT_TYPE, "application/json")
                .body(data.as_str().to_owned());
        }
        self.send(request, id).await.map(drop)
    }

    pub(super) async fn purge(&self, id: &str, recursive: bool) -> Result<(), Failure> {
        let pairs = [("recursive", recursive.to_string())];
        let request = self.webhook(Method::DELETE, &["instances", id], &pairs)?;
        self.send(request, id).await.map(drop)
    }

    pub(super) async fn entities(
        &self,
        name: Option<&str>,
        top: usize,
    ) -> Result<Vec<Value>, Failure> {
        let mut path = vec!["entities"];
        path.extend(name);
        let mut all = Vec::new();
        let mut token: Option<String> = None;
        while all.len() < top {
            let pairs = [
                ("fetchState", "true".to_owned()),
                ("top", (top - all.len()).to_string()),
            ];
            let mut request = self.webhook(Method::GET, &path, &pairs)?;
            if let Some(token) = &token {
                request = request.header(CONTINUATION, token);
            }
            let response = self.send(request, "").await?;
            let next = response.headers().get(CONTINUATION);
            token = next
                .and_then(|token| token.to_str().ok())
                .map(str::to_owned);
            all.extend(self.read::<Vec<Value>>(response).await?);
            if token.is_none() {
                break;
            }
        }
        all.truncate(top);
        Ok(all)
    }

    pub(super) async fn entity(&self, id: &EntityId) -> Result<Option<Payload>, Failure> {
        let key = if id.key().is_empty() { "$" } else { id.key() };
        let request = self.webhook(Method::GET, &["entities", id.name(), key], &[])?;
        let response = self.answer(request).await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let response = self.fine(response).await?;
        let state: Box<RawValue> = self.read(response).await?;
        Ok(Payload::of(&state).ok())
    }

    pub(super) async fn signal(
        &self,
        id: &EntityId,
        operation: &EntityOperation,
    ) -> Result<(), Failure> {
        let mut path = vec!["entities", id.name()];
        path.extend(Some(id.key()).filter(|key| !key.is_empty()));
        let pairs = [("op", operation.operation.to_string())];
        let mut request = self.webhook(Method::POST, &path, &pairs)?;
        if let Some(input) = &operation.input {
            request = request
                .header(CONTENT_TYPE, "application/json")
                .body(input.as_str().to_owned());
        }
        self.send(request, "").await.map(drop)
    }

    pub(super) async fn clean_entities(&self) -> Result<CleanedEntities, Failure> {
        let request = self.request(Method::POST, &["admin", "entities", "clean"])?;
        let response = self.send(request, "").await?;
        self.read(response).await
    }

    fn webhook(
        &self,
        method: Method,
        path: &[&str],
        pairs: &[(&str, String)],
    ) -> Result<RequestBuilder, Failure> {
        let url = self.at(&[&WEBHOOKS[..], path].concat(), pairs)?;
        Ok(self.signed(method, url))
    }

    pub(super) fn request(&self, method: Method, path: &[&str]) -> Result<RequestBuilder, Failure> {
        let url = self.at(path, &[])?;
        Ok(self.signed(method, url))
    }

    fn signed(&self, method: Method, url: Url) -> RequestBuilder {
        let key = self.master.expose();
        let request = self.client.request(method, url);
        request.header("x-functions-key", key)
    }

    fn at(&self, path: &[&str], pairs: &[(&str, String)]) -> Result<Url, Failure> {
        let mut url = self.url.clone();
        let wrong = |()| Failure::refused(format!("`{}` is no URL of a host", self.url));
        url.path_segments_mut()
            .map_err(wrong)?
            .pop_if_empty()
            .extend(path);
        // The webhooks read a plus in a path as a space.
        let escaped = url.path().replace('+', "%2B");
        url.set_path(&escaped);
        if !pairs.is_empty() {
            url.query_pairs_mut().extend_pairs(pairs);
        }
        Ok(url)
    }

    /// Sends, and explains a refusal; `id` is the instance that the request is about.
    pub(super) async fn send(
        &self,
        request: RequestBuilder,
        id: &str,
    ) -> Result<Response, Failure> {
        let response = self.answer(request).await?;
        match response.status() {
            StatusCode::NOT_FOUND if id.is_empty() => {
                let text = format!("the host at {} serves no durable functions", self.url);
                Err(Failure::Refused(text))
            }
            StatusCode::NOT_FOUND => Err(Failure::no_instance(id)),
            StatusCode::GONE => Err(Failure::ended(id)),
            _ => self.fine(response).await,
        }
    }

    pub(super) async fn answer(&self, request: RequestBuilder) -> Result<Response, Failure> {
        request
            .send()
            .await
            .map_err(|error| self.unreachable(error))
    }

    fn wants_a_key(&self) -> String {
        let url = &self.url;
        if self.master.expose().is_empty() {
            return format!(
                "the host at {url} asks for its master key: put it into the variable {KEY_VARIABLE}, or run this on a terminal, which asks for it"
            );
        }
        format!("the host at {url} does not accept the key: it is not its master key")
    }

    pub(super) async fn fine(&self, response: Response) -> Result<Response, Failure> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Err(Failure::Refused(self.wants_a_key()));
        }
        let text = response
            .text()
            .await
            .map_err(|error| self.unreachable(error))?;
        Err(Failure::Refused(explained(status, &text)))
    }

    pub(super) async fn read<T: DeserializeOwned>(&self, response: Response) -> Result<T, Failure> {
        response
            .json()
            .await
            .map_err(|error| self.unreachable(error))
    }

    fn unreachable(&self, error: reqwest::Error) -> Failure {
        let mut problem = String::new();
        let error = error.without_url();
        let mut cause: Option<&dyn std::error::Error> = Some(&error);
        while let Some(error) = cause {
            problem = error.to_string();
            cause = error.source();
        }
        let url = self.url.to_string();
        Failure::Unreachable { url, problem }
    }
}

#[cfg(feature = "tls")]
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        _ => false,
    }
}

/// What the body of a refusal says.
fn explained(status: StatusCode, body: &str) -> String {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Exception {
        message: String,
        exception_message: Option<String>,
    }
    if let Ok(exception) = serde_json::from_str::<Exception>(body) {
        return exception.exception_message.unwrap_or(exception.message);
    }
    match serde_json::from_str::<String>(body) {
        Ok(text) => text,
        Err(_) if body.is_empty() => format!("the host answered {status}"),
        Err(_) => body.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_in_their_own_words() {
        let status = StatusCode::BAD_REQUEST;
        for (body, expected) in [
            (r#"{"Message":"m","ExceptionMessage":"because"}"#, "because"),
            (r#"{"Message":"m"}"#, "m"),
            (r#""only ended ones""#, "only ended ones"),
            ("Cannot delete System Key.", "Cannot delete System Key."),
            ("", "the host answered 400 Bad Request"),
        ] {
            assert_eq!(explained(status, body), expected);
        }
    }
}
