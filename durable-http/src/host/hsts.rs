//! [`Hsts`]: whether browsers are told to come by HTTPS only.

use std::time::Duration;

use actix_web::http::header::HeaderValue;
use serde_json::{Value, json};

use super::config::{Config, parse};

/// What browsers are told; off by default.
#[derive(Debug, Clone)]
pub(crate) struct Hsts {
    value: HeaderValue,
    excluded: Vec<String>,
}

impl Hsts {
    /// Of `extensions.http.hsts`.
    pub(super) fn read(config: &mut Config<'_>) -> Option<Self> {
        let at = |name: &str| format!("extensions.http.hsts.{name}");
        let enabled = config.flag(&at("isEnabled"), false);
        let expected = "a time span such as `30.00:00:00`";
        let max_age = config.get(&at("maxAge"), expected, parse::span);
        let max_age = max_age
            .unwrap_or(Duration::from_secs(30 * 86_400))
            .as_secs();
        let mut text = format!("max-age={max_age}");
        if config.flag(&at("includeSubDomains"), false) {
            text.push_str("; includeSubDomains");
        }
        if config.flag(&at("preload"), false) {
            text.push_str("; preload");
        }
        let excluded = config.list(&at("excludedHosts"));
        let value = HeaderValue::from_str(&text).ok()?;
        enabled.then_some(Self { value, excluded })
    }

    /// For administrators.
    pub(super) fn shown(&self) -> Value {
        let header = String::from_utf8_lossy(self.value.as_bytes());
        json!({ "isEnabled": true, "header": header, "excludedHosts": self.excluded })
    }

    /// The same, of a host that tells nothing.
    pub(super) fn off() -> Value {
        json!({ "isEnabled": false })
    }

    /// What is said on an answer of that origin: over TLS only, and never for a developer's own machine.
    pub(super) fn header(&self, origin: &str) -> Option<HeaderValue> {
        let host = origin.strip_prefix("https://")?;
        let port = host.rfind(':').filter(|at| !host[*at..].contains(']'));
        let name = &host[..port.unwrap_or(host.len())];
        let own = ["localhost", "127.0.0.1", "[::1]"].into_iter();
        let mut spared = own.chain(self.excluded.iter().map(String::as_str));
        let is_spared = spared.any(|spared| spared.eq_ignore_ascii_case(name));
        (!is_spared).then(|| self.value.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::Variables;
    use super::*;

    fn hsts(members: &str) -> Option<Hsts> {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(r#"{{"version":"2.0","extensions":{{"http":{{"hsts":{members}}}}}}}"#);
        std::fs::write(folder.path().join("host.json"), text).unwrap();
        let none = Variables::default();
        let mut config = Config::read(folder.path(), &none).unwrap();
        let hsts = Hsts::read(&mut config);
        assert_eq!(config.take_faults(), [""; 0]);
        hsts
    }

    /// Vector 183.
    #[test]
    fn only_strangers_over_tls_are_told() {
        assert!(hsts("{}").is_none());
        let plain = hsts(r#"{"isEnabled":true}"#).unwrap();
        for (origin, expected) in [
            ("https://example.com", Some("max-age=2592000")),
            ("https://example.com:8443", Some("max-age=2592000")),
            ("http://example.com", None),
            ("https://localhost:7071", None),
            ("https://127.0.0.1:1", None),
            ("https://[::1]:1", None),
        ] {
            let said = plain.header(origin);
            assert_eq!(
                said.as_ref().map(|value| value.to_str().unwrap()),
                expected,
                "{origin}"
            );
        }
        let all = r#"{"isEnabled":true,"maxAge":"00:01:00","includeSubDomains":true,"preload":true,"excludedHosts":["a.b"]}"#;
        let all = hsts(all).unwrap();
        assert_eq!(
            all.header("https://x.y").unwrap(),
            "max-age=60; includeSubDomains; preload"
        );
        assert_eq!(all.header("https://A.b:1"), None);
    }
}
