//! The 202 loop (spec 5.4): where a 202 points, and when to ask there. Pure: `replay` waits and asks.

use std::time::{Duration, SystemTime};

use serde::Deserialize;
use url::Url;

use super::check::http_url;
use super::{
    CREDENTIALS, DurableHttpRequest, FUNCTIONS_KEY, HttpHeaders, is_content_header, redact_url,
};
use crate::model::{Payload, Timestamp};

/// No wait between two polls is longer.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// A request that was answered.
#[derive(Clone, Copy)]
pub(crate) struct Sent<'a> {
    /// What user code asked for: the anchor of trust, which never moves.
    pub(crate) original: &'a DurableHttpRequest,
    /// What was sent last: the original, or a poll.
    pub(crate) last: &'a DurableHttpRequest,
}

/// What of an answer decides how it goes on.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    headers: HttpHeaders,
    /// After redirects, if there were any.
    effective_uri: Option<String>,
}

/// The poll that a 202 asks for, and the wait before it; `None`: the 202 is the answer (D12).
pub(crate) fn next_poll(
    sent: Sent<'_>,
    answer: &Payload,
    now: Timestamp,
    default_wait: Duration,
) -> Option<(Duration, DurableHttpRequest)> {
    let answer: Answer = answer.read().ok()?;
    let here = answer.effective_uri.as_deref().unwrap_or(sent.last.uri());
    let Some(location) = location(here, answer.headers.get("location")) else {
        tracing::warn!(
            url = redact_url(here),
            "a 202 without a usable `Location` is the answer: there is nothing to poll"
        );
        return None;
    };
    let wait = wait(answer.headers.get("retry-after"), now, default_wait);
    let trusted =
        http_url(sent.original.uri()).is_some_and(|url| url.origin() == location.origin());
    let mut headers = sent.original.headers().clone();
    headers.retain(|name, _| {
        !name.eq_ignore_ascii_case(FUNCTIONS_KEY)
            && !is_content_header(name)
            && (trusted || !CREDENTIALS.iter().any(|own| own.eq_ignore_ascii_case(name)))
    });
    let request = sent.original.poll_of(location.into(), headers, trusted);
    Some((wait.min(LONGEST), request))
}

/// Where the answer points, seen from where it came from.
fn location(here: &str, location: Option<&str>) -> Option<Url> {
    let location = location.map(str::trim).filter(|text| !text.is_empty())?;
    let mut url = http_url(here)?.join(location).ok()?;
    url.set_fragment(None);
    http_url(url.as_str())
}

/// Seconds, or a date; what is neither is the default.
fn wait(retry_after: Option<&str>, now: Timestamp, default: Duration) -> Duration {
    let Some(text) = retry_after.map(str::trim) else {
        return default;
    };
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More than 68 years is a mistake, not a wish.
        let seconds = text.parse::<i32>().ok();
        let seconds = seconds.and_then(|seconds| u64::try_from(seconds).ok());
        return seconds.map_or(default, Duration::from_secs);
    }
    let Ok(date) = httpdate::parse_http_date(text) else {
        return default;
    };
    let span = date.duration_since(SystemTime::from(now.to_utc()));
    let span = span.unwrap_or_default();
    let more = u64::from(span.subsec_nanos() > 0);
    Duration::from_secs(span.as_secs().saturating_add(more))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::durable_http::{DurableHttpResponse, TokenSource};

    /// 2026-01-01T00:00:00Z.
    const NOW: i64 = 1_767_225_600_000_000;
    const DEFAULT: Duration = Duration::from_secs(30);

    /// Vector 76.
    #[test]
    fn waits_are_seconds_or_dates_or_the_default() {
        let long = "9".repeat(400);
        for (header, micros_before, seconds) in [
            (Some("5"), 0, 5),
            (Some(" 0 "), 0, 0),
            (Some("Thu, 01 Jan 2026 00:00:10 GMT"), 0, 10),
            (Some("Thu, 01 Jan 2026 00:00:02 GMT"), -800_000, 2),
            (Some("Thursday, 01-Jan-26 00:00:10 GMT"), 0, 10),
            (Some("Thu Jan  1 00:00:10 2026"), 0, 10),
            (Some("Wed, 31 Dec 2025 23:59:50 GMT"), 0, 0),
            (None, 0, 30),
            (Some("soon"), 0, 30),
            (Some(""), 0, 30),
            (Some("-5"), 0, 30),
            (Some("1.5"), 0, 30),
            (Some(&long), 0, 30),
            (Some("8640000000000"), 0, 30),
            (Some("86400"), 0, 86_400),
        ] {
            // The clock stands 0.8 s past midnight in the case of a fraction.
            let now = Timestamp::from_micros(NOW - micros_before);
            assert_eq!(
                wait(header, now, DEFAULT),
                Duration::from_secs(seconds),
                "{header:?}"
            );
        }
    }

    fn poll(
        original: &DurableHttpRequest,
        last: &DurableHttpRequest,
        answer: &serde_json::Value,
    ) -> Option<(Duration, DurableHttpRequest)> {
        let sent = Sent { original, last };
        let answer = Payload::of(answer).unwrap();
        next_poll(sent, &answer, Timestamp::from_micros(NOW), DEFAULT)
    }

    fn accepted(location: &str) -> serde_json::Value {
        serde_json::json!({ "statusCode": 202, "headers": { "Location": location }, "content": "" })
    }

    #[test]
    fn location_is_seen_from_where_the_answer_came_from() {
        let request = DurableHttpRequest::post("https://a.example/x/y?z=1").with_text("b");
        for (location, url) in [
            ("/status/1", Some("https://a.example/status/1")),
            ("status/1", Some("https://a.example/x/status/1")),
            ("?q", Some("https://a.example/x/y?q")),
            ("//b.example/s", Some("https://b.example/s")),
            ("http://b.example:8080/s#f", Some("http://b.example:8080/s")),
            ("", None),
            (" ", None),
            ("http://", None),
            ("file:///etc/passwd", None),
            ("ftp://b.example/s", None),
        ] {
            let polled = poll(&request, &request, &accepted(location)).map(|(_, poll)| poll);
            assert_eq!(
                polled.as_ref().map(DurableHttpRequest::uri),
                url,
                "{location}"
            );
            if let Some(polled) = polled {
                assert_eq!((polled.method(), polled.content()), ("GET", None));
            }
        }
        let mut redirected = accepted("s");
        redirected["effectiveUri"] = "https://c.example/d/e".into();
        let (wait, polled) = poll(&request, &request, &redirected).unwrap();
        assert_eq!((wait, polled.uri()), (DEFAULT, "https://c.example/d/s"));
        let none = serde_json::json!({ "statusCode": 202, "headers": {} });
        assert!(poll(&request, &request, &none).is_none());
    }

    #[test]
    fn credentials_go_to_the_original_origin_alone() {
        let original = DurableHttpRequest::post("https://a.example/jobs")
            .with_header("Authorization", "1")
            .with_header("Cookie", "2")
            .with_header("Proxy-Authorization", "3")
            .with_header("x-functions-key", "4")
            .with_header("Content-Type", "text/x")
            .with_header("x-own", "5")
            .with_token_source(TokenSource::custom("vault", "jobs"))
            .with_text("body");
        let names = |request: &DurableHttpRequest| {
            let names = request.headers().iter().map(|(name, _)| name.to_owned());
            (names.collect::<Vec<_>>(), request.token_source().is_some())
        };
        let all = ["Authorization", "Cookie", "Proxy-Authorization", "x-own"];
        let trusted = (all.map(str::to_owned).to_vec(), true);
        let stranger = (vec!["x-own".to_owned()], false);
        let mut last = original.clone();
        // Home, away by scheme, by host and by port, on at the stranger's, and home again.
        for (location, expected) in [
            ("https://a.example:443/1", &trusted),
            ("http://a.example/2", &stranger),
            ("https://b.example/3", &stranger),
            ("/4", &stranger),
            ("https://a.example:8443/5", &stranger),
            ("https://A.example/6", &trusted),
        ] {
            let (_, polled) = poll(&original, &last, &accepted(location)).unwrap();
            assert_eq!(&names(&polled), expected, "{location}");
            last = polled;
        }
        assert_eq!(
            original.headers().iter().count(),
            6,
            "the original stays as it is"
        );
    }

    #[test]
    fn response_wire_form_is_what_the_loop_reads() {
        let request = DurableHttpRequest::get("http://h/");
        let response = DurableHttpResponse::new(202)
            .with_header("LOCATION", "/s")
            .with_header("retry-after", "999999");
        let answer = serde_json::to_value(response).unwrap();
        let (wait, _) = poll(&request, &request, &answer).unwrap();
        assert_eq!(wait, LONGEST);
    }
}
