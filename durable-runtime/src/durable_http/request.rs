//! [`DurableHttpRequest`]: what `call_http` is asked to send.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{HttpHeaders, HttpRetryPolicy, TokenSource, redact_url, time_span};
use crate::error::Result;

/// A request that an orchestrator sends with `ctx.call_http(..)`.
///
/// It and its answer are kept in history: their size counts, and there is no streaming. What is wrong with it (a URL that is none, a body on a
/// GET) fails the call. A 202 with a `Location` is followed, unless [`DurableHttpRequest::without_polling`].
///
/// ```
/// use std::time::Duration;
/// use durable_runtime::{DurableHttpRequest, HttpRetryPolicy, TokenSource};
///
/// let request = DurableHttpRequest::post("https://example.com/jobs")
///     .with_header("x-a", "1")
///     .with_json(&vec![1, 2])?
///     .with_token_source(TokenSource::managed_identity("https://management.core.windows.net"))
///     .with_timeout(Duration::from_secs(30))
///     .with_retry(HttpRetryPolicy::new(3, Duration::from_secs(5)).with_status_codes([500, 503]));
/// assert_eq!(request.content(), Some("[1,2]"));
/// # Ok::<(), durable_runtime::Error>(())
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", from = "Wire")]
#[must_use = "a request does nothing until it is given to `call_http`"]
pub struct DurableHttpRequest {
    method: String,
    uri: String,
    #[serde(skip_serializing_if = "HttpHeaders::is_empty")]
    headers: HttpHeaders,
    content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_source: Option<TokenSource>,
    asynchronous_pattern_enabled: bool,
    #[serde(
        serialize_with = "time_span::write",
        skip_serializing_if = "Option::is_none"
    )]
    timeout: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_options: Option<HttpRetryPolicy>,
}

/// The wire form: members may be absent or `null`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    method: String,
    uri: String,
    headers: Option<HttpHeaders>,
    content: Option<String>,
    token_source: Option<TokenSource>,
    asynchronous_pattern_enabled: Option<bool>,
    enable_polling: Option<bool>,
    #[serde(default, deserialize_with = "time_span::optional")]
    timeout: Option<Duration>,
    retry_options: Option<HttpRetryPolicy>,
}

impl From<Wire> for DurableHttpRequest {
    fn from(wire: Wire) -> Self {
        let polling = wire.enable_polling.or(wire.asynchronous_pattern_enabled);
        Self {
            method: wire.method.to_ascii_uppercase(),
            uri: wire.uri,
            headers: wire.headers.unwrap_or_default(),
            content: wire.content,
            token_source: wire.token_source,
            asynchronous_pattern_enabled: polling.unwrap_or(true),
            timeout: wire.timeout,
            retry_options: wire.retry_options,
        }
    }
}

impl DurableHttpRequest {
    /// A request with any method.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into().to_ascii_uppercase(),
            uri: url.into(),
            headers: HttpHeaders::new(),
            content: None,
            token_source: None,
            asynchronous_pattern_enabled: true,
            timeout: None,
            retry_options: None,
        }
    }

    /// A GET.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// A POST.
    pub fn post(url: impl Into<String>) -> Self {
        Self::new("POST", url)
    }

    /// A PUT.
    pub fn put(url: impl Into<String>) -> Self {
        Self::new("PUT", url)
    }

    /// A PATCH.
    pub fn patch(url: impl Into<String>) -> Self {
        Self::new("PATCH", url)
    }

    /// A DELETE.
    pub fn delete(url: impl Into<String>) -> Self {
        Self::new("DELETE", url)
    }

    /// Adds a header; the same name twice gives two values.
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.append(name, value);
        self
    }

    /// The body, as `application/json` unless there is a `Content-Type` already.
    ///
    /// # Errors
    /// A value that cannot be serialised.
    pub fn with_json(mut self, body: &(impl Serialize + ?Sized)) -> Result<Self> {
        self.content = Some(serde_json::to_string(body)?);
        if self.headers.get("content-type").is_none() {
            self.headers.append("Content-Type", "application/json");
        }
        Ok(self)
    }

    /// The body; sent as `text/plain` unless a `Content-Type` says otherwise.
    pub fn with_text(mut self, body: impl Into<String>) -> Self {
        self.content = Some(body.into());
        self
    }

    /// Sends it with a bearer token, which is fetched when it is sent and kept nowhere.
    pub fn with_token_source(mut self, source: TokenSource) -> Self {
        self.token_source = Some(source);
        self
    }

    /// How long each request may take, each poll too; the default is the setting `httpSettings.requestTimeout`. Fails with `TimeoutException`.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sends it again when it fails, as the policy says; polls too.
    pub fn with_retry(mut self, policy: HttpRetryPolicy) -> Self {
        self.retry_options = Some(policy);
        self
    }

    /// A 202 is the answer: its `Location` is not followed.
    pub fn without_polling(mut self) -> Self {
        self.asynchronous_pattern_enabled = false;
        self
    }

    /// The method, in capitals.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The URL.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The headers.
    #[must_use]
    pub const fn headers(&self) -> &HttpHeaders {
        &self.headers
    }

    /// The body.
    #[must_use]
    pub fn content(&self) -> Option<&str> {
        self.content.as_deref()
    }

    /// Whose token it carries.
    #[must_use]
    pub const fn token_source(&self) -> Option<&TokenSource> {
        self.token_source.as_ref()
    }

    /// How long each request may take, if it says so itself.
    #[must_use]
    pub const fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// Whether a 202 is followed.
    #[must_use]
    pub const fn is_polling(&self) -> bool {
        self.asynchronous_pattern_enabled
    }

    /// When it is sent again.
    #[must_use]
    pub const fn retry(&self) -> Option<&HttpRetryPolicy> {
        self.retry_options.as_ref()
    }

    /// The GET that asks `uri` how far this request has got; with the token only where `trusted`.
    pub(super) fn poll_of(&self, uri: String, headers: HttpHeaders, trusted: bool) -> Self {
        Self {
            method: "GET".to_owned(),
            uri,
            headers,
            content: None,
            token_source: self.token_source.clone().filter(|_| trusted),
            ..self.clone()
        }
    }
}

/// Without body and secrets: it may be logged.
impl fmt::Debug for DurableHttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DurableHttpRequest")
            .field("method", &self.method)
            .field("uri", &redact_url(&self.uri))
            .field("headers", &self.headers)
            .field("token_source", &self.token_source)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wire_form_is_the_references() {
        let request = DurableHttpRequest::post("https://example.com/jobs")
            .with_header("x-a", "1")
            .with_header("x-b", "1")
            .with_header("X-B", "2")
            .with_text("text")
            .with_token_source(TokenSource::custom("vault", "jobs"))
            .with_timeout(Duration::from_secs(30))
            .with_retry(HttpRetryPolicy::new(3, Duration::from_secs(5)).with_status_codes([500]))
            .without_polling();
        let wire = concat!(
            r#"{"method":"POST","uri":"https://example.com/jobs","headers":{"x-a":"1","x-b":["1","2"]},"content":"text","#,
            r#""tokenSource":{"kind":"vault","resource":"jobs"},"asynchronousPatternEnabled":false,"timeout":"00:00:30","#,
            r#""retryOptions":{"FirstRetryInterval":"00:00:05","MaxRetryInterval":"6.00:00:00","BackoffCoefficient":1.0,"MaxNumberOfAttempts":3,"StatusCodesToRetry":[500]}}"#
        );
        assert_eq!(serde_json::to_string(&request).unwrap(), wire);
        let read: DurableHttpRequest = serde_json::from_str(wire).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), wire);
    }

    #[test]
    fn absent_and_null_members_are_the_defaults() {
        for wire in [
            r#"{"method":"get","uri":"http://h"}"#,
            r#"{"method":"get","uri":"http://h","headers":null,"content":null,"tokenSource":null,"asynchronousPatternEnabled":null,"timeout":null,"retryOptions":null}"#,
        ] {
            let request: DurableHttpRequest = serde_json::from_str(wire).unwrap();
            assert!(
                request.is_polling() && request.method() == "GET" && request.content().is_none()
            );
        }
        let overridden = r#"{"method":"get","uri":"http://h","asynchronousPatternEnabled":true,"enablePolling":false}"#;
        assert!(
            !serde_json::from_str::<DurableHttpRequest>(overridden)
                .unwrap()
                .is_polling()
        );
        let wrong = r#"{"method":"get","uri":"http://h","timeout":"30"}"#;
        let fault = serde_json::from_str::<DurableHttpRequest>(wrong).unwrap_err();
        assert!(fault.to_string().contains("00:00:30"), "{fault}");
    }

    #[test]
    fn json_says_what_it_is_and_debug_hides_secrets() {
        let request = DurableHttpRequest::put("https://u:p@h/?code=s3cret")
            .with_header("Cookie", "s3cret")
            .with_json("s3cret")
            .unwrap();
        assert_eq!(
            request.headers().get("content-type"),
            Some("application/json")
        );
        let shown = format!("{request:?}");
        assert!(
            !shown.contains("s3cret") && !shown.contains("u:p"),
            "{shown}"
        );
    }
}
