//! [`HttpFailure`]: the ways in which a request gets no answer.

use crate::model::FailureDetails;

/// Why a request got no answer: what `properties["kind"]` of the failure says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpFailure {
    /// The host's name has no address.
    Dns,
    /// Nobody accepts connections there.
    Connect,
    /// No secure connection: certificate, name or protocol.
    Tls,
    /// It took too long.
    Timeout,
    /// The connection ended before the answer did.
    Reset,
    /// The answer is larger than `maxResponseBytes`.
    TooLarge,
    /// More redirects than `maxRedirects`.
    Redirects,
    /// No token to be had.
    Token,
    /// A request that cannot or must not be sent, or an answer that is not HTTP.
    Invalid,
}

impl HttpFailure {
    /// The word of `properties["kind"]`.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::TooLarge => "too_large",
            Self::Redirects => "redirects",
            Self::Token => "token",
            Self::Invalid => "invalid",
        }
    }

    /// The failure of the task. What would fail again for the same reason is not worth a retry.
    #[must_use]
    pub fn details(self, message: impl Into<String>) -> FailureDetails {
        let error_type = match self {
            Self::Timeout => "TimeoutException",
            Self::Token => "TokenException",
            _ => "HttpRequestException",
        };
        let mut failure = FailureDetails::new(error_type, message);
        failure.is_non_retriable = matches!(self, Self::TooLarge | Self::Redirects | Self::Invalid);
        failure
            .properties
            .insert("kind".to_owned(), self.kind().into());
        failure
    }
}

/// The failure that a status is under a retry policy.
pub(crate) fn of_status(status: u16, method: &str, url: &str) -> FailureDetails {
    let text = format!("{method} {url} was answered with the status {status}");
    let mut failure = FailureDetails::new("HttpRequestException", text);
    failure
        .properties
        .insert("statusCode".to_owned(), status.into());
    failure
}
