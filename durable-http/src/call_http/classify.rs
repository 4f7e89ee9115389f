//! What an error of the client means.

use std::error::Error as StdError;
use std::io;

use durable_runtime::FailureDetails;
use durable_runtime::durable_http::{HttpFailure, redact_url};
use url::Url;

use super::guard::{self, Denied};

/// The failure of a request to `url`.
pub(super) fn failure(error: &reqwest::Error, url: &Url) -> FailureDetails {
    if chain(error).any(|cause| cause.is::<Denied>()) {
        return guard::denied(url);
    }
    let kind = kind(error);
    let shown = redact_url(url.as_str());
    let what = match kind {
        HttpFailure::Dns => "its host has no address",
        HttpFailure::Connect => "no connection",
        HttpFailure::Tls => "no secure connection",
        HttpFailure::Timeout => "it took too long",
        HttpFailure::Reset => "the connection ended before the answer did",
        _ => "not a request that can be sent, or no answer in HTTP",
    };
    kind.details(format!("{shown}: {what} ({})", text(error)))
}

fn kind(error: &reqwest::Error) -> HttpFailure {
    if error.is_builder() {
        return HttpFailure::Invalid;
    }
    if error.is_dns() {
        return HttpFailure::Dns;
    }
    if chain(error).any(is_tls) {
        return HttpFailure::Tls;
    }
    if error.is_connect() {
        return HttpFailure::Connect;
    }
    if error.is_timeout() {
        return HttpFailure::Timeout;
    }
    let hyper = chain(error).find_map(|cause| cause.downcast_ref::<hyper::Error>());
    let corrupt = chain(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::InvalidData);
    // hyper calls an early end of headers and a bad status line the same: only the second is an answer at all.
    match hyper {
        Some(error) if error.is_incomplete_message() => HttpFailure::Reset,
        Some(error) if error.is_parse() => HttpFailure::Invalid,
        _ if corrupt => HttpFailure::Invalid,
        _ => HttpFailure::Reset,
    }
}

/// The error and its causes. An I/O error shows what it carries only on request.
fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| {
        let carried = error
            .downcast_ref::<io::Error>()
            .and_then(|error| error.get_ref())
            .map(|inner| inner as &(dyn StdError + 'static));
        carried.or_else(|| error.source())
    })
}

#[cfg(feature = "tls")]
fn is_tls(cause: &(dyn StdError + 'static)) -> bool {
    cause.is::<rustls::Error>()
}

#[cfg(not(feature = "tls"))]
fn is_tls(_: &(dyn StdError + 'static)) -> bool {
    false
}

/// The causes, without the URL, which may hold secrets.
pub(crate) fn text(error: &reqwest::Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    for cause in chain(error).skip(1) {
        let text = cause.to_string();
        if !texts.last().is_some_and(|last| last.contains(&text)) {
            texts.push(text);
        }
    }
    if texts.is_empty() {
        // Of itself it says the URL.
        return "no cause is known".to_owned();
    }
    texts.join(": ")
}
