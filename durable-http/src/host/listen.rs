//! Where the host listens.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::Path;

use durable_runtime::Error;
use durable_runtime::store::sqlite::read_holder;

use super::auth;
use super::serve::How;
use super::settings::Told;

const PORT: u16 = 7071;

/// The address: of the command line, the program, the setting `PORT`, `local.settings.json`, in this order.
///
/// # Errors
/// Texts that are no address, no port.
pub(super) fn address(
    how: &How,
    given: Option<&str>,
    told: &Told,
    auth: bool,
) -> Result<SocketAddr, String> {
    let (ip, port) = given.map(parts).transpose()?.unwrap_or_default();
    let setting = told.environment.get("PORT").map(|text| {
        let number = text.trim().parse::<u16>();
        number.map_err(|_| format!("the setting `PORT` is `{text}`, expected 0 to 65535"))
    });
    // Within a container, loopback would be reached by nobody; but without keys nobody else may.
    let own = match auth && auth::in_container(&told.environment) {
        true => Ipv4Addr::UNSPECIFIED,
        false => Ipv4Addr::LOCALHOST,
    };
    let ip = how.address.or(ip).or(told.local.local_http_address);
    let port = how.port.or(port).or(setting.transpose()?);
    let port = port.or(told.local.local_http_port);
    Ok(SocketAddr::new(
        ip.unwrap_or(IpAddr::V4(own)),
        port.unwrap_or(PORT),
    ))
}

fn parts(given: &str) -> Result<(Option<IpAddr>, Option<u16>), String> {
    let wrong = || {
        format!("the address `{given}` is none, expected one such as `127.0.0.1:7071` or `0.0.0.0`")
    };
    let named = given.replacen("localhost", "127.0.0.1", 1);
    match (named.parse::<SocketAddr>(), named.parse::<IpAddr>()) {
        (Ok(both), _) => Ok((Some(both.ip()), Some(both.port()))),
        (_, Ok(ip)) => Ok((Some(ip), None)),
        _ => Err(wrong()),
    }
}

/// Takes the port.
///
/// # Errors
/// One that is in use, and by whom if that host has this hub; one that may not be used.
pub(super) fn bind(address: SocketAddr, hub: &Path) -> Result<(TcpListener, SocketAddr), Error> {
    listener(address).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => Error::msg(format!(
            "the port {} of {} is in use by {}; stop that one, or choose another port with `--port`",
            address.port(),
            address.ip(),
            user(address, hub)
        )),
        _ => Error::msg(format!("{address} cannot be listened on: {error}")),
    })
}

/// Who has the port: the host that holds the hub, if it says so.
fn user(address: SocketAddr, hub: &Path) -> String {
    let unknown = || "another program".to_owned();
    let Ok(Some(holder)) = read_holder(hub) else {
        return unknown();
    };
    let there = holder
        .url
        .as_deref()
        .is_some_and(|held| held == url(address, false) || held == url(address, true));
    if there {
        format!(
            "process {}, which also holds the hub `{}`",
            holder.pid,
            hub.display()
        )
    } else {
        unknown()
    }
}

fn listener(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let bound = listener.local_addr()?;
    Ok((listener, bound))
}

/// The URL of a host there, as this machine reaches it.
pub(super) fn url(address: SocketAddr, tls: bool) -> String {
    let mut reached = address;
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => reached.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => reached.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    format!("{}://{reached}", if tls { "https" } else { "http" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_have_a_port() {
        let ip = |text: &str| text.parse::<IpAddr>().ok();
        for (given, expected) in [
            ("127.0.0.1:0", (ip("127.0.0.1"), Some(0))),
            ("0.0.0.0", (ip("0.0.0.0"), None)),
            ("[::1]:80", (ip("::1"), Some(80))),
            ("::1", (ip("::1"), None)),
            ("localhost:80", (ip("127.0.0.1"), Some(80))),
        ] {
            assert_eq!(parts(given), Ok(expected), "{given}");
        }
        assert!(parts("nowhere").is_err());
    }

    #[test]
    fn every_address_is_reached_at_loopback() {
        for (address, expected) in [
            ("0.0.0.0:1", "http://127.0.0.1:1"),
            ("[::]:1", "http://[::1]:1"),
            ("10.0.0.1:1", "http://10.0.0.1:1"),
        ] {
            assert_eq!(url(address.parse().unwrap(), false), expected);
        }
    }

    #[test]
    fn a_port_in_use_is_told() {
        let (_first, address) = listener("127.0.0.1:0".parse().unwrap()).unwrap();
        let error = bind(address, Path::new("none.db"))
            .map(drop)
            .unwrap_err()
            .to_string();
        assert!(error.contains("in use by another program"), "{error}");
    }
}
