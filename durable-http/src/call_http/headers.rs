//! Headers on their way out and in.

use durable_runtime::HttpHeaders;
use durable_runtime::durable_http::{CREDENTIALS, FUNCTIONS_KEY, is_content_header};
use reqwest::Method;
use reqwest::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
};

/// What the connection says itself.
const HOP_BY_HOP: [&str; 9] = [
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
    "expect",
];

/// What goes to one place.
pub(super) struct Outgoing<'a> {
    pub(super) method: &'a Method,
    pub(super) headers: &'a HttpHeaders,
    pub(super) token: Option<&'a str>,
    pub(super) trace_parent: Option<&'a str>,
    /// Belongs to that `traceparent`.
    pub(super) trace_state: Option<&'a str>,
    pub(super) with_body: bool,
    /// Whether it goes to the origin that the request was meant for.
    pub(super) trusted: bool,
}

impl Outgoing<'_> {
    pub(super) fn map(&self) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in self.headers.iter().filter(|(name, _)| self.sends(name)) {
            let (Ok(name), Ok(mut value)) = (
                HeaderName::from_bytes(name.as_bytes()),
                HeaderValue::from_bytes(value.as_bytes()),
            ) else {
                continue;
            };
            value.set_sensitive(is_among(name.as_str(), &CREDENTIALS) || name == FUNCTIONS_KEY);
            map.append(name, value);
        }
        if self.with_body && !map.contains_key(CONTENT_TYPE) {
            map.insert(
                CONTENT_TYPE,
                HeaderValue::from_static("text/plain; charset=utf-8"),
            );
        }
        let expects_body = [Method::POST, Method::PUT, Method::PATCH].contains(self.method);
        if !self.with_body && expects_body {
            // RFC 9110 8.6: many servers answer 411 to one that does not say that nothing follows; the connection says it of bodies only.
            map.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let bearer = self.token.filter(|_| self.trusted);
        let bearer = bearer.and_then(|token| HeaderValue::try_from(format!("Bearer {token}")).ok());
        if let Some(mut bearer) = bearer {
            bearer.set_sensitive(true);
            map.insert(AUTHORIZATION, bearer);
        }
        let parent = self.trace_parent.and_then(|parent| parent.parse().ok());
        if let Some(parent) = parent.filter(|_| !map.contains_key("traceparent")) {
            map.insert("traceparent", parent);
            let state = self.trace_state.and_then(|state| state.parse().ok());
            if let Some(state) = state.filter(|_| !map.contains_key("tracestate")) {
                map.insert("tracestate", state);
            }
        }
        map
    }

    fn sends(&self, name: &str) -> bool {
        let elsewhere = is_among(name, &CREDENTIALS)
            || name.eq_ignore_ascii_case(FUNCTIONS_KEY)
            || name.eq_ignore_ascii_case("host");
        !is_among(name, &HOP_BY_HOP)
            && (self.trusted || !elsewhere)
            && (self.with_body || !is_content_header(name))
    }
}

fn is_among(name: &str, names: &[&str]) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// The headers of an answer. Those that are not UTF-8 are read as Latin-1, which every byte is.
pub(super) fn incoming(map: &HeaderMap) -> HttpHeaders {
    map.iter()
        .map(|(name, value)| (name.as_str(), text(value)))
        .collect()
}

pub(super) fn text(value: &HeaderValue) -> String {
    let bytes = value.as_bytes();
    std::str::from_utf8(bytes).map_or_else(
        |_| bytes.iter().copied().map(char::from).collect(),
        str::to_owned,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(outgoing: &Outgoing<'_>) -> Vec<String> {
        outgoing.map().keys().map(ToString::to_string).collect()
    }

    #[test]
    fn strangers_get_no_credentials_and_bodiless_requests_no_content_headers() {
        let headers: HttpHeaders = [
            ("Authorization", "1"),
            ("cookie", "2"),
            ("Proxy-Authorization", "3"),
            ("X-Functions-Key", "4"),
            ("Content-Language", "de"),
            ("Content-Length", "999"),
            ("Transfer-Encoding", "chunked"),
            ("x-own", "5"),
        ]
        .into_iter()
        .collect();
        let mut outgoing = Outgoing {
            method: &Method::GET,
            headers: &headers,
            token: Some("t"),
            trace_parent: Some("00-1-2-01"),
            trace_state: Some("a=1"),
            with_body: true,
            trusted: true,
        };
        assert_eq!(
            names(&outgoing),
            [
                "authorization",
                "cookie",
                "proxy-authorization",
                "x-functions-key",
                "content-language",
                "x-own",
                "content-type",
                "traceparent",
                "tracestate"
            ]
        );
        assert_eq!(outgoing.map()[AUTHORIZATION], "Bearer t");
        assert!(outgoing.map()[AUTHORIZATION].is_sensitive());
        outgoing.trusted = false;
        outgoing.with_body = false;
        assert_eq!(names(&outgoing), ["x-own", "traceparent", "tracestate"]);
    }

    #[test]
    fn empty_body_is_announced_where_one_is_expected() {
        let headers: HttpHeaders = [("content-length", "999")].into_iter().collect();
        for (method, with_body, length) in [
            (Method::POST, false, Some("0")),
            (Method::PUT, false, Some("0")),
            (Method::PATCH, false, Some("0")),
            (Method::POST, true, None),
            (Method::GET, false, None),
            (Method::DELETE, false, None),
        ] {
            let outgoing = Outgoing {
                method: &method,
                headers: &headers,
                token: None,
                trace_parent: None,
                trace_state: None,
                with_body,
                trusted: true,
            };
            let map = outgoing.map();
            let found = map.get(CONTENT_LENGTH).map(|value| value.to_str().unwrap());
            assert_eq!(found, length, "{method} {with_body}");
        }
    }

    #[test]
    fn every_byte_of_a_value_arrives() {
        let mut map = HeaderMap::new();
        map.append("a", HeaderValue::from_bytes("é".as_bytes()).unwrap());
        map.append("a", HeaderValue::from_bytes(b"\xe9").unwrap());
        let headers = incoming(&map);
        assert_eq!(headers.get_all("A").collect::<Vec<_>>(), ["é", "é"]);
    }
}
