//! Requests that cannot be sent are refused where they are made.

use url::Url;

use super::{DurableHttpRequest, HttpFailure, redact_url};
use crate::model::FailureDetails;

/// What is wrong with the request, if anything.
pub(crate) fn check(request: &DurableHttpRequest) -> Result<(), FailureDetails> {
    fault(request).map_or(Ok(()), |text| {
        let shown = redact_url(request.uri());
        let text = format!(
            "the request {} {shown} cannot be sent: {text}",
            request.method()
        );
        Err(HttpFailure::Invalid.details(text))
    })
}

fn fault(request: &DurableHttpRequest) -> Option<String> {
    if !is_token(request.method()) {
        return Some("expected a method such as GET".to_owned());
    }
    if http_url(request.uri()).is_none() {
        return Some("expected an absolute URL that begins with http:// or https://".to_owned());
    }
    for (name, value) in request.headers().iter() {
        if !is_token(name) {
            return Some(format!("the header name `{}` is none", name.escape_debug()));
        }
        if value.chars().any(|c| c.is_control() && c != '\t') {
            return Some(format!(
                "the value of the header `{name}` has a control character in it"
            ));
        }
    }
    if let Some(fault) = request.retry().and_then(|retry| retry.policy().fault()) {
        return Some(fault);
    }
    let bodiless = matches!(request.method(), "GET" | "HEAD");
    if bodiless && request.content().is_some_and(|body| !body.is_empty()) {
        return Some(format!("a {} has no body", request.method()));
    }
    let multipart = request.headers().get("content-type").is_some_and(|kind| {
        kind.trim_start()
            .to_ascii_lowercase()
            .starts_with("multipart/")
    });
    multipart.then(|| {
        "multipart bodies are not supported; send one part as text, or upload in an activity"
            .to_owned()
    })
}

/// The URL, if it is one that requests can be sent to.
pub(super) fn http_url(text: &str) -> Option<Url> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// A `token` of RFC 9110.
fn is_token(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::HttpRetryPolicy;
    use super::*;

    #[test]
    fn what_cannot_be_sent_is_refused_with_the_reason() {
        let url = "https://example.com";
        for (request, reason) in [
            (DurableHttpRequest::get("/relative"), "absolute URL"),
            (DurableHttpRequest::get("file:///etc/passwd"), "http://"),
            (DurableHttpRequest::get("ftp://example.com"), "http://"),
            (DurableHttpRequest::get("http://"), "http://"),
            (DurableHttpRequest::new("GE T", url), "method"),
            (DurableHttpRequest::new("", url), "method"),
            (
                DurableHttpRequest::get(url).with_header("a b", "1"),
                "`a b`",
            ),
            (
                DurableHttpRequest::get(url).with_header("a", "1\r\nb: 2"),
                "control",
            ),
            (DurableHttpRequest::get(url).with_text("x"), "no body"),
            (
                DurableHttpRequest::new("head", url).with_text("x"),
                "no body",
            ),
            (
                DurableHttpRequest::post(url)
                    .with_header("Content-Type", "multipart/form-data; boundary=x")
                    .with_text("x"),
                "multipart",
            ),
            (
                DurableHttpRequest::get(url)
                    .with_retry(HttpRetryPolicy::new(0, Duration::from_secs(1))),
                "at least 1 attempt",
            ),
        ] {
            let failure = check(&request).unwrap_err();
            assert!(failure.message.contains(reason), "{failure:?}");
            assert_eq!(failure.properties["kind"], "invalid");
            assert!(failure.is_non_retriable);
        }
        let form = DurableHttpRequest::post(url)
            .with_header("content-type", "application/x-www-form-urlencoded")
            .with_text("a=1");
        assert!(check(&form).is_ok());
        assert!(check(&DurableHttpRequest::get(url).with_text("")).is_ok());
        let secret = check(&DurableHttpRequest::get("ftp://u:s3cret@h/?code=s3cret")).unwrap_err();
        assert!(!secret.message.contains("s3cret"), "{secret:?}");
    }
}
