//! [`Proxies`]: whose word is taken for where a request really went.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;
use ipnet::IpNet;

/// Addresses of proxies in front of the host. Anybody can send their headers; only what these say is believed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proxies(Vec<IpNet>);

impl Proxies {
    /// Addresses and networks; the first that is none is the error.
    pub(super) fn parse(list: &[String]) -> Result<Self, String> {
        let net = |text: &String| {
            let address = text.parse::<IpAddr>().map(IpNet::from);
            address
                .or_else(|_| text.parse::<IpNet>())
                .map_err(|_| text.clone())
        };
        list.iter().map(net).collect::<Result<_, _>>().map(Self)
    }

    /// For administrators.
    pub(super) fn shown(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }

    /// Scheme and host that a trusted proxy names, as far as it does.
    pub(crate) fn said<'r>(&self, req: &'r HttpRequest) -> (Option<&'r str>, Option<&'r str>) {
        let peer = req.peer_addr().map(|peer| peer.ip().to_canonical());
        let trusted = peer.is_some_and(|peer| self.0.iter().any(|net| net.contains(&peer)));
        if !trusted {
            return (None, None);
        }
        let scheme = first(req.headers(), "x-forwarded-proto");
        let scheme = scheme.filter(|scheme| matches!(*scheme, "http" | "https"));
        let host = first(req.headers(), "disguised-host");
        let host = host.or_else(|| first(req.headers(), "x-forwarded-host"));
        (scheme, host)
    }
}

/// The first of the values, which are separated by commas.
fn first<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let values = headers.get(name)?.to_str().ok()?;
    let value = values.split(',').next()?.trim();
    Some(value).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn only_those_on_the_list_are_believed() {
        let list = ["10.0.0.0/8".to_owned(), "192.168.0.1".to_owned()];
        let proxies = Proxies::parse(&list).unwrap();
        for (peer, expected) in [
            ("10.1.2.3:1", (Some("https"), Some("a.example"))),
            ("192.168.0.1:1", (Some("https"), Some("a.example"))),
            ("[::ffff:10.1.2.3]:1", (Some("https"), Some("a.example"))),
            ("192.168.0.2:1", (None, None)),
        ] {
            let req = TestRequest::default()
                .peer_addr(peer.parse().unwrap())
                .insert_header(("x-forwarded-proto", "https, http"))
                .insert_header(("x-forwarded-host", "a.example, b.example"))
                .to_http_request();
            assert_eq!(proxies.said(&req), expected, "{peer}");
        }
        let req = TestRequest::default()
            .peer_addr("10.0.0.1:1".parse().unwrap())
            .insert_header(("x-forwarded-proto", "javascript"))
            .insert_header(("disguised-host", "c.example"))
            .to_http_request();
        assert_eq!(proxies.said(&req), (None, Some("c.example")));
        assert_eq!(
            Proxies::parse(&["10.0.0".to_owned()]).unwrap_err(),
            "10.0.0"
        );
    }
}
