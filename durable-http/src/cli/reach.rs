//! How a command reaches the hub: through the host that holds it, else by opening it.

use std::io::IsTerminal as _;
use std::sync::Arc;

use durable_runtime::store::Store;
use durable_runtime::store::sqlite::{Options, SqliteStore, peek_keys, read_holder};
use url::{Host, Url};

use super::Global;
use super::failure::Failure;
use super::local::Local;
use super::remote::Remote;
use super::site::Site;
use crate::keys::{Keys, Secret};

/// The master key for a host whose hub is not here. Never on a command line, which others can see.
pub(super) const KEY_VARIABLE: &str = "DURABLE_FUNCTIONS_MASTER_KEY";

/// One of two ways to the hub.
pub(super) enum Reach {
    /// A host holds it.
    Remote(Remote),
    /// Nobody does; now this process.
    Local(Local),
}

/// Finds the way; a hub that is not there is made.
pub(super) fn reach(site: &Site, global: &Global) -> Result<Reach, Failure> {
    through_host(site, global)?.map_or_else(|| opened(site), Ok)
}

/// Finds the way to a hub that is there: for what would find nothing in a new one.
pub(super) fn reach_existing(site: &Site, global: &Global) -> Result<Reach, Failure> {
    match through_host(site, global)? {
        Some(way) => Ok(way),
        None => {
            site.hub_exists()?;
            opened(site)
        }
    }
}

fn through_host(site: &Site, global: &Global) -> Result<Option<Reach>, Failure> {
    if let Some(url) = &global.url {
        let own = running(site).ok().flatten();
        let key = match own.is_some_and(|own| same_place(&own, url)) {
            true => master(site)?,
            // Whoever listens there must not be told the key of this hub.
            false => given_or_typed(url)?,
        };
        let host = Remote::new(url.clone(), key, false)?;
        return Ok(Some(Reach::Remote(host)));
    }
    let Some(url) = running(site)? else {
        return Ok(None);
    };
    let host = Remote::new(url, master(site)?, true)?;
    Ok(Some(Reach::Remote(host)))
}

fn same_place(one: &Url, other: &Url) -> bool {
    let place = |url: &Url| {
        let host = url.host_str().unwrap_or_default().to_owned();
        (url.scheme().to_owned(), host, url.port_or_known_default())
    };
    place(one) == place(other)
}

/// The key of a host whose hub is not here: from the environment, else from whoever sits there. Where nobody does it is none, which is
/// enough for a host that asks for none.
fn given_or_typed(url: &Url) -> Result<Secret, Failure> {
    if let Some(key) = given() {
        return Ok(key);
    }
    if !std::io::stdin().is_terminal() {
        return Ok("".into());
    }
    let origin = url.origin().ascii_serialization();
    let typed = rpassword::prompt_password(format!("Master key of {origin}: "))?;
    Ok(typed.trim().into())
}

fn given() -> Option<Secret> {
    let key = std::env::var(KEY_VARIABLE).ok();
    key.filter(|key| !key.is_empty()).map(Into::into)
}

/// Where the host listens that holds the hub.
fn running(site: &Site) -> Result<Option<Url>, Failure> {
    let Some(holder) = read_holder(&site.hub)? else {
        return Ok(None);
    };
    let silent = || {
        let pid = holder.pid;
        Failure::refused(format!(
            "process {pid} holds the hub, but does not say where it listens"
        ))
    };
    let url = holder.url.as_deref().ok_or_else(silent)?;
    Url::parse(url)
        .map(from_here)
        .map(Some)
        .map_err(|_| silent())
}

/// An address that means "every" one to a server is reached at loopback.
fn from_here(mut url: Url) -> Url {
    let local = match url.host() {
        Some(Host::Ipv4(ip)) if ip.is_unspecified() => "127.0.0.1",
        Some(Host::Ipv6(ip)) if ip.is_unspecified() => "[::1]",
        _ => return url,
    };
    // Cannot fail for a URL that has a host.
    let _ = url.set_host(Some(local));
    url
}

fn master(site: &Site) -> Result<Secret, Failure> {
    if let Some(key) = given() {
        return Ok(key);
    }
    let stored = peek_keys(&site.hub)?;
    Keys::master_among(&stored, &site.cipher)?.ok_or_else(|| {
        let hub = site.hub.display();
        Failure::refused(format!(
            "the hub `{hub}` has no keys yet: start the host once"
        ))
    })
}

/// Opens the hub, which nobody holds.
pub(super) fn opened(site: &Site) -> Result<Reach, Failure> {
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(Options::new(&site.hub))?);
    Ok(Reach::Local(Local::new(store, site)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_reached_at_loopback() {
        for (url, expected) in [
            ("http://0.0.0.0:7071", "http://127.0.0.1:7071/"),
            ("http://[::]:80", "http://[::1]/"),
            ("http://127.0.0.1:1", "http://127.0.0.1:1/"),
            ("https://example.com/x", "https://example.com/x"),
        ] {
            assert_eq!(from_here(Url::parse(url).unwrap()).as_str(), expected);
        }
    }
}
