//! What of a URL, of headers and of recorded requests may be shown.

use serde_json::Value;
use url::{Url, form_urlencoded};

use super::HttpHeaders;
use crate::model::Payload;

const HIDDEN: &str = "***";

/// The URL without what lets others in: user and password, the values of keys, codes, tokens and signatures in the query, the fragment.
///
/// ```
/// use durable_runtime::durable_http::redact_url;
///
/// assert_eq!(redact_url("https://me:pw@example.com/a?b=1&code=xyz#t"), "https://***@example.com/a?b=1&code=***");
/// ```
#[must_use]
pub fn redact_url(url: &str) -> String {
    let parsed = Url::parse(url).ok().filter(Url::has_host);
    let Some(mut parsed) = parsed else {
        return redact_reference(url);
    };
    parsed.set_fragment(None);
    let has_user = !parsed.username().is_empty() || parsed.password().is_some();
    // Refused only where there is no host.
    let _ = parsed.set_username("");
    let _ = parsed.set_password(None);
    if let Some(query) = parsed.query().map(redact_query) {
        parsed.set_query(Some(&query));
    }
    let shown = String::from(parsed);
    if has_user {
        shown.replacen("://", &format!("://{HIDDEN}@"), 1)
    } else {
        shown
    }
}

/// A relative reference, or a text that is no URL: it may hold a user all the same.
fn redact_reference(text: &str) -> String {
    let text = text.split('#').next().unwrap_or_default();
    let (path, query) = match text.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (text, None),
    };
    let path = match path.rsplit_once('@') {
        Some((_, host)) => format!("{HIDDEN}@{host}"),
        None => path.to_owned(),
    };
    match query {
        Some(query) => format!("{path}?{}", redact_query(query)),
        None => path,
    }
}

fn redact_query(query: &str) -> String {
    let shown = query.split('&').map(|pair| {
        let (written, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = form_urlencoded::parse(written.as_bytes())
            .next()
            .map_or_else(String::new, |(name, _)| name.into_owned());
        if !value.is_empty() && is_secret(&name) {
            format!("{written}={HIDDEN}")
        } else {
            pair.to_owned()
        }
    });
    shown.collect::<Vec<_>>().join("&")
}

/// Names under which APIs take secrets.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let whole = [
        "code",
        "sig",
        "pwd",
        "sas",
        "auth",
        "authorization",
        "jwt",
        "assertion",
        "x-amz-credential",
    ];
    let ends = ["key", "token", "secret", "password", "signature"];
    whole.contains(&&*name) || ends.iter().any(|end| name.ends_with(end))
}

/// Headers whose values are not shown.
pub(super) fn is_secret_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let whole = [
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
    ];
    whole.contains(&&*name) || (name != "idempotency-key" && is_secret(&name))
}

/// The headers as they may be shown: no credentials, URLs without secrets.
#[must_use]
pub fn redact_headers(headers: &HttpHeaders) -> HttpHeaders {
    let shown = headers.iter().map(|(name, value)| {
        let value = if is_secret_header(name) {
            HIDDEN.to_owned()
        } else if is_url_header(name) {
            redact_url(value)
        } else {
            value.to_owned()
        };
        (name, value)
    });
    shown.collect()
}

fn is_url_header(name: &str) -> bool {
    ["location", "content-location", "referer"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
}

/// A recorded request or answer as history views show it. What is none is shown as it is.
pub(crate) fn redact_payload(payload: &Payload) -> Payload {
    let Ok(mut value) = payload.read::<Value>() else {
        return payload.clone();
    };
    for member in ["uri", "effectiveUri"] {
        if let Some(Value::String(url)) = value.get_mut(member) {
            *url = redact_url(url);
        }
    }
    if let Some(headers) = value.get_mut("headers") {
        let read = serde_json::from_value::<HttpHeaders>(headers.clone());
        if let Some(shown) = read
            .ok()
            .and_then(|read| serde_json::to_value(redact_headers(&read)).ok())
        {
            *headers = shown;
        }
    }
    // What cannot be shown redacted is not shown.
    Payload::of(&value).unwrap_or_else(|_| Payload::null())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_lose_their_secrets_and_nothing_else() {
        for (url, shown) in [
            ("https://example.com/a?b=1&c", "https://example.com/a?b=1&c"),
            (
                "http://u:p@h:8080/x?taskHub=t&code=AbC%3D%3D&connection=Storage",
                "http://***@h:8080/x?taskHub=t&code=***&connection=Storage",
            ),
            ("http://u@h/", "http://***@h/"),
            (
                "https://h/?sig=1&SIG=2&api_key=3&access_token=4&c%6Fde=5",
                "https://h/?sig=***&SIG=***&api_key=***&access_token=***&c%6Fde=***",
            ),
            ("https://h/#access_token=1", "https://h/"),
            ("/status?code=1&x=2", "/status?code=***&x=2"),
            ("//u:p@h/?code=1", "***@h/?code=***"),
            ("u:p@h/?code=1", "***@h/?code=***"),
        ] {
            assert_eq!(redact_url(url), shown, "{url}");
        }
    }

    #[test]
    fn recorded_requests_show_no_credentials() {
        let request = serde_json::json!({
            "method": "GET", "uri": "https://u:p@h/?code=1", "content": "code=1",
            "headers": { "Authorization": "Bearer 1", "x-functions-key": ["2", "3"], "Idempotency-Key": "k", "Location": "/?sig=4" },
        });
        let shown = redact_payload(&Payload::of(&request).unwrap()).to_value();
        assert_eq!(
            shown,
            serde_json::json!({
                "method": "GET", "uri": "https://***@h/?code=***", "content": "code=1",
                "headers": { "Authorization": "***", "x-functions-key": ["***", "***"], "Idempotency-Key": "k", "Location": "/?sig=***" },
            })
        );
        let other = Payload::of(&[1, 2]).unwrap();
        assert_eq!(redact_payload(&other), other);
    }
}
