//! [`Cors`]: which pages of other origins may call.

use actix_web::HttpResponse;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD,
    HeaderMap, HeaderValue, ORIGIN, VARY,
};
use actix_web::http::{Method, StatusCode};

/// Which pages of other origins may call; by default, none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cors {
    origins: Vec<String>,
    credentials: bool,
}

impl Cors {
    pub(super) fn new(origins: Vec<String>, credentials: bool) -> Self {
        let origins = origins
            .into_iter()
            .map(|origin| origin.trim().trim_end_matches('/').to_owned());
        Self {
            origins: origins.filter(|origin| !origin.is_empty()).collect(),
            credentials,
        }
    }

    /// As `local.settings.json` writes them: with commas between.
    pub(super) fn of_list(origins: &str, credentials: bool) -> Self {
        Self::new(origins.split(',').map(str::to_owned).collect(), credentials)
    }

    pub(super) fn is_off(&self) -> bool {
        self.origins.is_empty()
    }

    /// The answer to a browser that asks whether it may ask.
    pub(super) fn preflight(&self, method: &Method, headers: &HeaderMap) -> Option<HttpResponse> {
        let wanted = headers.get(ACCESS_CONTROL_REQUEST_METHOD)?;
        if self.is_off() || *method != Method::OPTIONS || !headers.contains_key(ORIGIN) {
            return None;
        }
        let mut response = HttpResponse::new(StatusCode::NO_CONTENT);
        let answer = response.headers_mut();
        if self.allowed(headers).is_some() {
            answer.insert(ACCESS_CONTROL_ALLOW_METHODS, wanted.clone());
            if let Some(names) = headers.get(ACCESS_CONTROL_REQUEST_HEADERS) {
                answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
            }
        }
        Some(response)
    }

    /// Lets the page that asked read the answer, if it may.
    pub(super) fn finish(&self, asked: &HeaderMap, answer: &mut HeaderMap) {
        if self.is_off() {
            return;
        }
        answer.append(VARY, HeaderValue::from_static("Origin"));
        let Some(origin) = self.allowed(asked) else {
            return;
        };
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if self.credentials {
            answer.insert(
                ACCESS_CONTROL_ALLOW_CREDENTIALS,
                HeaderValue::from_static("true"),
            );
        }
    }

    fn allowed(&self, asked: &HeaderMap) -> Option<HeaderValue> {
        let origin = asked.get(ORIGIN)?;
        let is = |allowed: &String| origin.as_bytes().eq_ignore_ascii_case(allowed.as_bytes());
        let any = self.origins.iter().any(|allowed| allowed == "*");
        match any {
            // With credentials a browser accepts no star.
            true if !self.credentials => Some(HeaderValue::from_static("*")),
            true => Some(origin.clone()),
            false => self.origins.iter().any(is).then(|| origin.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in all {
            headers.insert(name.parse().unwrap(), value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn origins_are_let_in_as_they_are_listed() {
        let origin = headers(&[("origin", "https://a.example")]);
        for (list, credentials, expected) in [
            ("", false, None),
            ("*", false, Some("*")),
            ("*", true, Some("https://a.example")),
            (
                "https://b.example, https://A.example/",
                false,
                Some("https://a.example"),
            ),
            ("https://b.example", true, None),
        ] {
            let mut answer = HeaderMap::new();
            Cors::of_list(list, credentials).finish(&origin, &mut answer);
            let allowed = answer
                .get(ACCESS_CONTROL_ALLOW_ORIGIN)
                .map(|value| value.to_str().unwrap());
            assert_eq!(allowed, expected, "{list}");
            let with = answer.contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS);
            assert_eq!(with, credentials && expected.is_some(), "{list}");
        }
    }

    #[test]
    fn only_a_preflight_is_answered_for_the_function() {
        let asked = headers(&[
            ("origin", "https://a.example"),
            ("access-control-request-method", "PUT"),
            ("access-control-request-headers", "x-a"),
        ]);
        let cors = Cors::of_list("https://a.example", false);
        let response = cors.preflight(&Method::OPTIONS, &asked).unwrap();
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
        assert_eq!(
            response
                .headers()
                .get(ACCESS_CONTROL_ALLOW_METHODS)
                .unwrap(),
            "PUT"
        );
        assert_eq!(
            response
                .headers()
                .get(ACCESS_CONTROL_ALLOW_HEADERS)
                .unwrap(),
            "x-a"
        );
        let stranger = Cors::of_list("https://b.example", false);
        let response = stranger.preflight(&Method::OPTIONS, &asked).unwrap();
        assert!(
            response
                .headers()
                .get(ACCESS_CONTROL_ALLOW_METHODS)
                .is_none()
        );
        assert!(cors.preflight(&Method::GET, &asked).is_none());
        assert!(
            cors.preflight(
                &Method::OPTIONS,
                &headers(&[("origin", "https://a.example")])
            )
            .is_none()
        );
        assert!(
            Cors::default()
                .preflight(&Method::OPTIONS, &asked)
                .is_none()
        );
    }
}
