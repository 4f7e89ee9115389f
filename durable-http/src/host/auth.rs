//! Whether a host asks for keys (host.md 2.7 of the reference).

use std::net::IpAddr;
use std::path::Path;

use super::config::Variables;

/// Whether keys are asked for: as the command line says, else always but in development outside a container.
pub(super) fn asked_for(told: Option<bool>, variables: &Variables) -> bool {
    told.unwrap_or_else(|| !is_development(variables) || in_container(variables))
}

/// Whether this is a developer's machine, as the tools of Functions say it.
fn is_development(variables: &Variables) -> bool {
    let environment = variables.get("AZURE_FUNCTIONS_ENVIRONMENT");
    environment.is_some_and(|name| name.trim().eq_ignore_ascii_case("Development"))
}

/// Lets a host do without keys where only this machine reaches it.
///
/// # Errors
/// Says why not, and what to do.
pub(super) fn accept_none(address: IpAddr) -> Result<(), String> {
    if address.is_loopback() {
        return Ok(());
    }
    Err(format!(
        "without keys the host listens on loopback only, and {address} is reachable from outside; add `--enable-auth`"
    ))
}

/// Whether this process runs in a container.
pub(super) fn in_container(variables: &Variables) -> bool {
    variables.flag("DOTNET_RUNNING_IN_CONTAINER")
        || variables.get("KUBERNETES_SERVICE_HOST").is_some()
        || variables.get("container").is_some()
        || Path::new("/.dockerenv").exists()
        || Path::new("/run/.containerenv").exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_asked_for_unless_somebody_says_otherwise() {
        let variables = |all: &[(&str, &str)]| {
            Variables::of(
                all.iter()
                    .map(|&(name, value)| (name.to_owned(), value.to_owned())),
            )
        };
        let development = ("AZURE_FUNCTIONS_ENVIRONMENT", "development");
        let contained = variables(&[development, ("container", "podman")]);
        assert!(asked_for(None, &Variables::default()));
        assert!(is_development(&variables(&[development])));
        assert!(asked_for(None, &contained));
        assert!(asked_for(Some(true), &variables(&[development])));
        assert!(!asked_for(Some(false), &contained));
    }

    #[test]
    fn no_keys_means_no_strangers() {
        assert!(accept_none("127.0.0.1".parse().unwrap()).is_ok());
        assert!(accept_none("::1".parse().unwrap()).is_ok());
        assert!(accept_none("0.0.0.0".parse().unwrap()).is_err());
    }
}
