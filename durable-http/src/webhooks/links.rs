//! The URLs by which an instance is managed, and the answer that carries them.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HOST, HeaderValue, LOCATION, RETRY_AFTER};
use actix_web::http::uri::Authority;
use actix_web::{HttpRequest, web};
use durable_runtime::DurableClient;

use super::answer;
use crate::client::HttpManagementPayload;
use crate::host::Shared;

/// Path of the webhooks, without a slash at its end.
pub(crate) const BASE: &str = "/runtime/webhooks/durabletask";

/// What all links of one hub, seen from one place, have in common.
pub(crate) struct Links {
    /// Up to and with `/instances/`.
    instances: String,
    /// `taskHub`, `connection` and, where there is one, `code`.
    query: String,
}

impl Links {
    /// As the sender of the request sees this host.
    pub(crate) fn seen_by(
        req: &HttpRequest,
        client: &DurableClient,
        shared: Option<&Shared>,
    ) -> Self {
        let forwarded = shared.is_some_and(|shared| shared.settings.use_forwarded_host);
        let origin = forwarded
            .then(|| forwarded_origin(req))
            .flatten()
            .unwrap_or_else(|| origin(req));
        Self::at(&origin, client, shared)
    }

    /// By the host's own name.
    pub(crate) fn of_host(client: &DurableClient, shared: Option<&Shared>) -> Self {
        let origin = shared.map_or_else(|| "http://localhost".to_owned(), Shared::own_origin);
        Self::at(&origin, client, shared)
    }

    fn at(origin: &str, client: &DurableClient, shared: Option<&Shared>) -> Self {
        let (hub, connection) = (enc(&client.task_hub()), enc(&client.connection()));
        let mut query = format!("taskHub={hub}&connection={connection}");
        if let Some(shared) = shared {
            query.push_str("&code=");
            // The padding of generated keys stays readable, as everybody copies it.
            let key = shared.keys.of_extension("durabletask");
            query.push_str(&enc(key.expose()).replace("%3D", "="));
        }
        let instances = format!("{origin}{BASE}/instances/");
        Self { instances, query }
    }

    /// The nine members, for one instance.
    pub(crate) fn payload(&self, id: &str, error_on_failure: bool) -> HttpManagementPayload {
        let (base, query) = (format!("{}{}", self.instances, enc(id)), &self.query);
        let with_reason = |operation: &str| format!("{base}/{operation}?reason={{text}}&{query}");
        let plain = format!("{base}?{query}");
        let flag = if error_on_failure {
            "&returnInternalServerErrorOnFailure=true"
        } else {
            ""
        };
        HttpManagementPayload {
            id: id.to_owned(),
            status_query_get_uri: format!("{plain}{flag}"),
            send_event_post_uri: format!("{base}/raiseEvent/{{eventName}}?{query}"),
            terminate_post_uri: with_reason("terminate"),
            rewind_post_uri: with_reason("rewind"),
            purge_history_delete_uri: plain,
            restart_post_uri: format!("{base}/restart?{query}"),
            suspend_post_uri: with_reason("suspend"),
            resume_post_uri: with_reason("resume"),
        }
    }

    /// 202 with the links: where to look, and when.
    pub(crate) fn check_status(&self, id: &str, error_on_failure: bool) -> HttpResponse {
        let payload = self.payload(id, error_on_failure);
        let mut response = answer::json(StatusCode::ACCEPTED, &payload);
        poll_again(&mut response, &payload.status_query_get_uri, "10");
        response
    }
}

/// Tells the caller where to ask again, after how many seconds.
pub(super) fn poll_again(response: &mut HttpResponse, url: &str, seconds: &'static str) {
    let headers = response.headers_mut();
    if let Ok(url) = HeaderValue::from_str(url) {
        headers.insert(LOCATION, url);
    }
    headers.insert(RETRY_AFTER, HeaderValue::from_static(seconds));
}

/// Scheme and host of the request as they came in; what proxies say of it counts if they are trusted. A host that is none is left
/// out, since links carry it on to others.
pub(crate) fn origin(req: &HttpRequest) -> String {
    let shared = req.app_data::<web::Data<Shared>>();
    let said = shared.map(|shared| shared.settings.proxies.said(req));
    let (scheme, host) = said.unwrap_or_default();
    let secure = req.app_config().secure();
    let scheme = scheme.unwrap_or(if secure { "https" } else { "http" });
    let header = || {
        let host = req.headers().get(HOST)?.to_str().ok()?;
        Some(host).filter(|host| is_authority(host))
    };
    let host = host
        .filter(|host| is_authority(host))
        .or_else(header)
        .or_else(|| req.uri().authority().map(|authority| authority.as_str()))
        .or_else(|| shared?.own_host.get().map(String::as_str))
        .unwrap_or_else(|| req.app_config().host());
    format!("{scheme}://{host}")
}

/// Whether this is a host, with or without a port, that a URL can hold.
fn is_authority(text: &str) -> bool {
    !text.contains('@') && text.parse::<Authority>().is_ok()
}

/// The first values of `X-Forwarded-Proto` and `X-Forwarded-Host`, if both are there and are what they should be.
fn forwarded_origin(req: &HttpRequest) -> Option<String> {
    let first = |name: &str| {
        let values = req.headers().get(name)?.to_str().ok()?;
        let value = values.split(',').next()?.trim();
        Some(value).filter(|value| !value.is_empty())
    };
    let (scheme, host) = (first("x-forwarded-proto")?, first("x-forwarded-host")?);
    if !matches!(scheme, "http" | "https") || !is_authority(host) {
        return None;
    }
    Some(format!("{scheme}://{host}"))
}

/// The form encoding that links are written with, but for the space, which is `%20`.
fn enc(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => out.push(char::from(byte)),
            b'-' | b'_' | b'.' | b'!' | b'*' | b'(' | b')' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn links() -> Links {
        Links {
            instances: format!("http://localhost:7071{BASE}/instances/"),
            query: "taskHub=SampleHubVS&connection=Storage&code=mykey".into(),
        }
    }

    #[test]
    fn the_nine_links_are_spelt_and_ordered_as_callers_know_them() {
        let text = serde_json::to_string(&links().payload("a b", false)).unwrap();
        let base = "http://localhost:7071/runtime/webhooks/durabletask/instances/a%20b";
        let query = "taskHub=SampleHubVS&connection=Storage&code=mykey";
        let reason = format!("?reason={{text}}&{query}");
        assert_eq!(
            text,
            [
                r#"{"id":"a b""#.to_owned(),
                format!(r#""statusQueryGetUri":"{base}?{query}""#),
                format!(r#""sendEventPostUri":"{base}/raiseEvent/{{eventName}}?{query}""#),
                format!(r#""terminatePostUri":"{base}/terminate{reason}""#),
                format!(r#""rewindPostUri":"{base}/rewind{reason}""#),
                format!(r#""purgeHistoryDeleteUri":"{base}?{query}""#),
                format!(r#""restartPostUri":"{base}/restart?{query}""#),
                format!(r#""suspendPostUri":"{base}/suspend{reason}""#),
                format!(r#""resumePostUri":"{base}/resume{reason}"}}"#),
            ]
            .join(",")
        );
    }

    #[test]
    fn only_the_status_link_carries_the_flag_and_at_its_end() {
        let payload = links().payload("x", true);
        let end = "&code=mykey&returnInternalServerErrorOnFailure=true";
        assert!(payload.status_query_get_uri.ends_with(end));
        assert!(payload.purge_history_delete_uri.ends_with("&code=mykey"));
    }

    #[test]
    fn the_answer_says_where_and_when_to_ask() {
        let response = links().check_status("x", false);
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        assert_eq!(response.headers().get(RETRY_AFTER).unwrap(), "10");
        let location = response.headers().get(LOCATION).unwrap().to_str().unwrap();
        assert_eq!(location, links().payload("x", false).status_query_get_uri);
    }

    #[test]
    fn ids_are_encoded_as_the_reference_does_but_for_the_space() {
        assert_eq!(
            enc("a b@c:d~e'f-_.!*()+%"),
            "a%20b%40c%3Ad%7Ee%27f-_.!*()%2B%25"
        );
        assert_eq!(enc("é"), "%C3%A9");
    }

    #[test]
    fn host_that_is_none_is_not_carried_on() {
        for (host, expected) in [
            ("h:1", "h:1"),
            ("[::1]:80", "[::1]:80"),
            ("a\"b<c>", "localhost:8080"),
            ("a b", "localhost:8080"),
            ("a/b", "localhost:8080"),
            ("me@h", "localhost:8080"),
            ("", "localhost:8080"),
        ] {
            let req = TestRequest::default()
                .insert_header((HOST, host))
                .insert_header(("X-Forwarded-Host", host))
                .insert_header(("X-Forwarded-Proto", "http"))
                .to_http_request();
            assert_eq!(origin(&req), format!("http://{expected}"), "{host}");
            let forwarded = (host == expected).then(|| format!("http://{host}"));
            assert_eq!(forwarded_origin(&req), forwarded, "{host}");
        }
        let script = TestRequest::default()
            .insert_header(("X-Forwarded-Host", "h"))
            .insert_header(("X-Forwarded-Proto", "javascript"))
            .to_http_request();
        assert_eq!(forwarded_origin(&script), None);
    }

    #[test]
    fn the_origin_is_the_hosts_view_unless_proxies_are_trusted() {
        let req = TestRequest::default()
            .insert_header((HOST, "h:1"))
            .insert_header(("X-Forwarded-Host", "example.com, other"))
            .insert_header(("X-Forwarded-Proto", "https"))
            .to_http_request();
        assert_eq!(origin(&req), "http://h:1");
        assert_eq!(
            forwarded_origin(&req).as_deref(),
            Some("https://example.com")
        );
        let half = TestRequest::default()
            .insert_header(("X-Forwarded-Host", "example.com"))
            .to_http_request();
        assert_eq!(forwarded_origin(&half), None);
    }
}
