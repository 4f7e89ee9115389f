//! One request from its first place to its last: sent, sent on where a redirect says so, answered.

use durable_runtime::FailureDetails;
use durable_runtime::durable_http::{HttpAnswer, HttpDelivery, HttpFailure, redact_url};
use reqwest::header::{AUTHORIZATION, LOCATION};
use url::Url;

use super::guard::Guard;
use super::headers::{Outgoing, text};
use super::redirect::Hop;
use super::{Settings, body, classify};

/// What a request is sent with.
pub(super) struct Exchange<'a> {
    pub(super) client: &'a reqwest::Client,
    pub(super) guard: &'a Guard,
    pub(super) settings: &'a Settings,
    pub(super) delivery: &'a HttpDelivery,
}

impl Exchange<'_> {
    /// Sends it, and follows redirects.
    pub(super) async fn run(&self, token: Option<&str>) -> Result<HttpAnswer, FailureDetails> {
        let request = &self.delivery.request;
        let invalid =
            |error: &dyn std::fmt::Display| HttpFailure::Invalid.details(error.to_string());
        let url = Url::parse(request.uri()).map_err(|error| invalid(&error))?;
        let method = request.method().parse().map_err(|error| invalid(&error))?;
        let origin = url.origin();
        let mut hop = Hop {
            method,
            url,
            with_body: request.content().is_some_and(|body| !body.is_empty()),
        };
        let mut redirects = 0;
        loop {
            self.guard.admit(&hop.url)?;
            let trusted = hop.url.origin() == origin;
            let response = self.send(&hop, token, trusted).await?;
            let location = response.headers().get(LOCATION).map(text);
            let Some(next) = hop.after(response.status().as_u16(), location.as_deref()) else {
                let limit = self.settings.max_response_bytes;
                let answer = body::read(response, limit, token).await?;
                let effective = (redirects > 0).then(|| hop.url.into());
                return Ok(HttpAnswer::new(answer).with_effective_uri(effective));
            };
            body::drain(response).await;
            redirects += 1;
            if redirects > self.settings.max_redirects {
                return Err(self.too_many_redirects(&next.url));
            }
            hop = next;
        }
    }

    async fn send(
        &self,
        hop: &Hop,
        token: Option<&str>,
        trusted: bool,
    ) -> Result<reqwest::Response, FailureDetails> {
        let request = &self.delivery.request;
        let headers = Outgoing {
            method: &hop.method,
            headers: request.headers(),
            token,
            trace_parent: self.delivery.trace_parent.as_deref(),
            trace_state: self.delivery.trace_state.as_deref(),
            with_body: hop.with_body,
            trusted,
        }
        .map();
        let mut url = hop.url.clone();
        if headers.contains_key(AUTHORIZATION) {
            // The client would make an `Authorization` of them, and there is one already.
            let _ = url.set_username("");
            let _ = url.set_password(None);
        }
        let mut builder = self
            .client
            .request(hop.method.clone(), url)
            .headers(headers);
        if let Some(content) = request.content().filter(|_| hop.with_body) {
            builder = builder.body(content.to_owned());
        }
        let sent = builder.send().await;
        sent.map_err(|error| classify::failure(&error, &hop.url))
    }

    fn too_many_redirects(&self, last: &Url) -> FailureDetails {
        let text = format!(
            "{} was redirected more than {} times (`httpSettings.maxRedirects`), last to {}",
            redact_url(self.delivery.request.uri()),
            self.settings.max_redirects,
            redact_url(last.as_str())
        );
        HttpFailure::Redirects.details(text)
    }
}
