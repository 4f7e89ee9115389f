//! Where an answer sends the request on to, and as what.

use reqwest::Method;
use url::Url;

/// What is sent next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hop {
    pub(super) method: Method,
    pub(super) url: Url,
    /// Whether the body goes along, with the headers that describe it.
    pub(super) with_body: bool,
}

impl Hop {
    /// The request to which this answer leads; `None`: it is the answer.
    pub(super) fn after(&self, status: u16, location: Option<&str>) -> Option<Self> {
        if !matches!(status, 301 | 302 | 303 | 307 | 308) {
            return None;
        }
        let mut url = self.url.join(location?.trim()).ok()?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return None;
        }
        url.set_fragment(None);
        let becomes_get = match status {
            301 | 302 => self.method == Method::POST,
            303 => self.method != Method::GET && self.method != Method::HEAD,
            _ => false,
        };
        Some(Self {
            method: if becomes_get {
                Method::GET
            } else {
                self.method.clone()
            },
            url,
            with_body: self.with_body && !becomes_get,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_keep_or_change_the_method() {
        for (method, status, next) in [
            ("POST", 301, Some("GET")),
            ("POST", 302, Some("GET")),
            ("PUT", 302, Some("PUT")),
            ("PUT", 303, Some("GET")),
            ("HEAD", 303, Some("HEAD")),
            ("POST", 307, Some("POST")),
            ("PATCH", 308, Some("PATCH")),
            ("GET", 300, None),
            ("GET", 304, None),
            ("GET", 200, None),
        ] {
            let hop = Hop {
                method: method.parse().unwrap(),
                url: "http://h/a/b".parse().unwrap(),
                with_body: true,
            };
            let after = hop.after(status, Some("c#f"));
            let found = after.as_ref().map(|hop| hop.method.as_str());
            assert_eq!(found, next, "{method} {status}");
            if let Some(after) = after {
                assert_eq!(after.url.as_str(), "http://h/a/c");
                assert_eq!(after.with_body, after.method == hop.method);
            }
        }
    }

    #[test]
    fn what_cannot_be_followed_is_the_answer() {
        let hop = Hop {
            method: Method::GET,
            url: "http://h/".parse().unwrap(),
            with_body: false,
        };
        for location in [
            None,
            Some("http://"),
            Some("file:///etc/passwd"),
            Some("ftp://h/"),
        ] {
            assert_eq!(hop.after(302, location), None, "{location:?}");
        }
    }
}
