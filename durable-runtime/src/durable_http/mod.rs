//! Durable HTTP as values: what is asked, what came back, and what follows from that. No HTTP library here: the host sends, through
//! [`HttpExecutor`]; `replay` decides when.

mod check;
mod executor;
mod failure;
mod headers;
mod poll;
mod redact;
mod request;
mod response;
mod retry;
mod time_span;
mod token;

pub use executor::{HttpAnswer, HttpDelivery, HttpExecutor, HttpSettings};
pub use failure::HttpFailure;
pub(crate) use failure::of_status;
pub use headers::HttpHeaders;
pub use redact::{redact_headers, redact_url};
pub use request::DurableHttpRequest;
pub use response::DurableHttpResponse;
pub use retry::HttpRetryPolicy;
pub use time_span::format as time_span;
pub use token::{AccessToken, TokenProvider, TokenSource};

pub(crate) use check::check;
pub(crate) use poll::{Sent, next_poll};
pub(crate) use redact::redact_payload;

/// The activity that sends requests, as histories show it.
pub const HTTP_ACTIVITY: &str = "BuiltIn::HttpActivity";

/// Whether a name is reserved for what the engine runs itself: a user's function of that name would be an oracle for tokens.
pub(crate) fn is_reserved(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with("builtin::") || name.starts_with("builtin__")
}

/// Headers that say who asks: they go to the origin of the request and to no other.
pub const CREDENTIALS: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// The key of a function host: never sent to where a 202 points, whose URL has a key of its own.
pub const FUNCTIONS_KEY: &str = "x-functions-key";

/// Whether a header describes the body, as .NET's content headers do; a request without body goes without it.
#[must_use]
pub fn is_content_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with("content-") || matches!(&*name, "allow" | "expires" | "last-modified")
}
