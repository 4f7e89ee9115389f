//! Where requests may go: asked at every redirect and every poll, and again when a name turns into addresses.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use durable_runtime::FailureDetails;
use durable_runtime::durable_http::{HttpFailure, redact_url};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::Settings;
use super::private_address::is_private;

/// Looks at URLs before they are followed.
pub(super) struct Guard {
    allowed: Vec<String>,
    deny_private: bool,
}

impl Guard {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            allowed: settings.allowed_hosts.clone(),
            deny_private: settings.deny_private,
        }
    }

    /// # Errors
    /// A place that is not to be asked.
    pub(super) fn admit(&self, url: &Url) -> Result<(), FailureDetails> {
        if !self.is_allowed(url) {
            let why = "its host is not among `httpSettings.allowedHosts`";
            return Err(refused(url, why));
        }
        let address = match url.host() {
            Some(Host::Ipv4(v4)) => Some(IpAddr::V4(v4)),
            Some(Host::Ipv6(v6)) => Some(IpAddr::V6(v6)),
            Some(Host::Domain(_)) | None => None,
        };
        if self.deny_private && address.is_some_and(is_private) {
            return Err(refused(url, DENIED));
        }
        Ok(())
    }

    fn is_allowed(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default().to_lowercase();
        let host = host.trim_end_matches('.');
        let fits = |pattern: &String| {
            let (pattern, port) = match pattern.rsplit_once(':') {
                Some((name, port)) if !port.contains(']') && port.parse::<u16>().is_ok() => {
                    (name, port.parse().ok())
                }
                _ => (pattern.as_str(), None),
            };
            let named = match pattern.strip_prefix("*.") {
                Some(domain) => host
                    .strip_suffix(domain)
                    .is_some_and(|rest| rest.ends_with('.') && rest.len() > 1),
                None => host == pattern,
            };
            named && port.is_none_or(|port: u16| url.port_or_known_default() == Some(port))
        };
        self.allowed.is_empty() || self.allowed.iter().any(fits)
    }
}

fn refused(url: &Url, why: &str) -> FailureDetails {
    let shown = redact_url(url.as_str());
    tracing::warn!(url = shown, "call_http: {why}");
    HttpFailure::Invalid.details(format!("{shown} is not asked: {why}"))
}

/// The failure of a request to a name that was [`Denied`].
pub(super) fn denied(url: &Url) -> FailureDetails {
    refused(url, DENIED)
}

const DENIED: &str = "its address is private, and `httpSettings.denyPrivateAddresses` is set";

/// A name all of whose addresses are private.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Denied;

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(DENIED)
    }
}

impl std::error::Error for Denied {}

/// Turns names into addresses, of which only the public ones are connected to.
#[derive(Debug, Clone, Copy)]
pub(super) struct PublicAddresses;

impl Resolve for PublicAddresses {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public = public(found.collect())?;
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Those of a name's addresses that may be connected to; none, if it has none at all.
fn public(mut found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Denied> {
    let had_any = !found.is_empty();
    found.retain(|address| !is_private(address.ip()));
    if had_any && found.is_empty() {
        return Err(Denied);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(allowed: &[&str], deny_private: bool, url: &str) -> bool {
        let guard = Guard {
            allowed: allowed.iter().map(|&host| host.to_owned()).collect(),
            deny_private,
        };
        guard.admit(&Url::parse(url).unwrap()).is_ok()
    }

    #[test]
    fn only_listed_hosts_are_asked() {
        let allowed = [
            "a.example",
            "*.b.example",
            "c.example:8443",
            "[::1]",
            "10.0.0.1",
        ];
        for (url, fits) in [
            ("https://a.example/", true),
            ("https://A.EXAMPLE./", true),
            ("http://a.example:81/", true),
            ("https://x.a.example/", false),
            ("https://xa.example/", false),
            ("https://x.b.example/", true),
            ("https://y.x.b.example/", true),
            ("https://b.example/", false),
            ("https://xb.example/", false),
            ("https://c.example:8443/", true),
            ("https://c.example/", false),
            ("http://[::1]:80/", true),
            ("http://10.0.0.1/", true),
            ("http://10.0.0.2/", false),
            ("http://a.example@evil.example/", false),
        ] {
            assert_eq!(admits(&allowed, false, url), fits, "{url}");
            assert!(admits(&[], false, url), "{url}");
        }
    }

    #[test]
    fn private_literals_are_denied_when_told_so() {
        for (url, fits) in [
            ("http://127.0.0.1/", false),
            ("http://2130706433/", false),
            ("http://0x7f.1/", false),
            ("http://[::ffff:169.254.169.254]/", false),
            ("http://1.1.1.1/", true),
        ] {
            assert_eq!(admits(&[], true, url), fits, "{url}");
        }
    }

    #[test]
    fn of_mixed_addresses_the_public_ones_are_left() {
        let addresses = |all: &[&str]| -> Vec<SocketAddr> {
            all.iter().map(|text| text.parse().unwrap()).collect()
        };
        for (found, left) in [
            (&[][..], Ok(&[][..])),
            (&["1.1.1.1:0"], Ok(&["1.1.1.1:0"])),
            (
                &["10.0.0.1:0", "1.1.1.1:0", "[::1]:0", "[2606:4700::1]:0"],
                Ok(&["1.1.1.1:0", "[2606:4700::1]:0"]),
            ),
            (&["169.254.169.254:0"], Err(Denied)),
            (&["[::ffff:10.0.0.1]:0", "127.0.0.1:0"], Err(Denied)),
        ] {
            assert_eq!(public(addresses(found)), left.map(addresses), "{found:?}");
        }
    }

    #[tokio::test]
    async fn names_with_private_addresses_alone_have_none() {
        let denied = PublicAddresses.resolve("localhost".parse().unwrap()).await;
        assert!(denied.is_err_and(|error| error.is::<Denied>()));
    }
}
