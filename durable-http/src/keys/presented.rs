//! Where a request carries its key.

use std::borrow::Cow;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;
use url::form_urlencoded;

static HEADER: HeaderName = HeaderName::from_static("x-functions-key");
const QUERY: &str = "code";

/// The key that the request shows: the first header `x-functions-key`, else the first query parameter `code`. A header
/// that is there decides, even an empty one. Nothing and an empty value are the same: no key.
pub fn presented_key(req: &HttpRequest) -> Option<Cow<'_, str>> {
    let header = req.headers().get(&HEADER).map(|value| value.as_bytes());
    choose(header, req.query_string())
}

fn choose<'a>(header: Option<&'a [u8]>, query: &'a str) -> Option<Cow<'a, str>> {
    let key = match header {
        // The lossy reader is slow, and not needed for what any key is made of.
        Some(value) => std::str::from_utf8(value)
            .map_or_else(|_| String::from_utf8_lossy(value), Cow::Borrowed),
        None => {
            form_urlencoded::parse(query.as_bytes())
                .find(|(name, _)| name.eq_ignore_ascii_case(QUERY))?
                .1
        }
    };
    Some(key).filter(|key| !key.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_decides_if_it_is_there_else_the_first_code() {
        let header = |text: &'static str| Some(text.as_bytes());
        for (header, query, expected) in [
            (None, "", None),
            (None, "code=fk-a", Some("fk-a")),
            (None, "CODE=fk-a", Some("fk-a")),
            (None, "name=A&code=fk-a&code=x", Some("fk-a")),
            (None, "code=wrong&code=fk-a", Some("wrong")),
            (None, "code=", None),
            (None, "code", None),
            (None, "code=&code=fk-a", None),
            (None, "code=a%3D%3D", Some("a==")),
            (None, "code=a==", Some("a==")),
            (None, "code=a+b%2B", Some("a b+")),
            (None, "decode=x", None),
            (header("fk-a"), "code=wrong", Some("fk-a")),
            (header("wrong"), "code=fk-a", Some("wrong")),
            (header(""), "code=fk-a", None),
        ] {
            assert_eq!(
                choose(header, query).as_deref(),
                expected,
                "{header:?} {query}"
            );
        }
    }

    #[test]
    fn the_header_is_found_in_any_case_and_its_first_value_counts() {
        let req = actix_web::test::TestRequest::default()
            .append_header(("X-Functions-Key", "one"))
            .append_header(("x-functions-key", "two"))
            .uri("/?code=three")
            .to_http_request();
        assert_eq!(presented_key(&req).as_deref(), Some("one"));
    }
}
