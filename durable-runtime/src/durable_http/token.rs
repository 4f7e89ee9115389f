//! [`TokenSource`]: whose token a request carries. The token itself is fetched where the request is sent, and is kept nowhere.

use std::fmt;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::error::Result;

/// The kind of [`TokenSource::managed_identity`].
const MANAGED_IDENTITY: &str = "AzureManagedIdentity";

/// Where the bearer token of a request comes from. Holds no secret: history keeps kind, resource and options, never a token.
///
/// ```
/// use durable_runtime::TokenSource;
///
/// let source = TokenSource::managed_identity("https://management.core.windows.net").with_tenant("t");
/// assert_eq!(source.resource(), "https://management.core.windows.net/.default");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[must_use]
pub struct TokenSource {
    kind: String,
    resource: String,
    #[serde(default, skip_serializing_if = "Options::is_empty")]
    options: Options,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
struct Options {
    #[serde(
        rename = "authorityhost",
        alias = "authorityHost",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    authority_host: Option<String>,
    #[serde(
        rename = "tenantid",
        alias = "tenantId",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    tenant: Option<String>,
}

impl Options {
    const fn is_empty(&self) -> bool {
        self.authority_host.is_none() && self.tenant.is_none()
    }
}

impl TokenSource {
    /// A token of the identity under which the host runs: of the platform, of a Kubernetes workload, or of whoever is logged in to the Azure CLI.
    pub fn managed_identity(resource: impl Into<String>) -> Self {
        Self::custom(MANAGED_IDENTITY, with_default_scope(resource.into()))
    }

    /// A token that the host's [`TokenProvider`] knows how to get.
    pub fn custom(kind: impl Into<String>, resource: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            resource: resource.into(),
            options: Options::default(),
        }
    }

    /// The authority that is asked, as `https://login.microsoftonline.com`.
    pub fn with_authority_host(mut self, url: impl Into<String>) -> Self {
        self.options.authority_host = Some(url.into());
        self
    }

    /// The tenant in which the token is asked for.
    pub fn with_tenant(mut self, id: impl Into<String>) -> Self {
        self.options.tenant = Some(id.into());
        self
    }

    /// `AzureManagedIdentity`, or what [`TokenSource::custom`] was given.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// What the token is for.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// The authority that is asked; `None`: the platform's.
    #[must_use]
    pub fn authority_host(&self) -> Option<&str> {
        self.options.authority_host.as_deref()
    }

    /// The tenant; `None`: the identity's own.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.options.tenant.as_deref()
    }

    /// Whether it is a [`TokenSource::managed_identity`].
    #[must_use]
    pub fn is_managed_identity(&self) -> bool {
        self.kind.eq_ignore_ascii_case(MANAGED_IDENTITY)
    }
}

/// Two resources are known to be meant as scopes (spec 5.5).
fn with_default_scope(resource: String) -> String {
    let bare = resource.trim_end_matches('/');
    let known = [
        "https://management.core.windows.net",
        "https://graph.microsoft.com",
    ];
    if known.iter().any(|known| known.eq_ignore_ascii_case(bare)) {
        return format!("{bare}/.default");
    }
    resource
}

/// A token and its end. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// The secret itself, as it stands behind `Bearer `.
    pub token: String,
    /// When it is worth nothing any more.
    pub expires_on: DateTime<Utc>,
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("expires_on", &self.expires_on)
            .finish_non_exhaustive()
    }
}

/// Gets tokens for [`TokenSource::custom`]. Asked when a request is sent; what it answers is kept in memory until shortly before its end,
/// and asked for again when a server answers 401.
pub trait TokenProvider: Send + Sync {
    /// A token for this source.
    ///
    /// # Errors
    /// Whatever keeps it from getting one: the request fails with a `TokenException`, which a retry policy may try again. The text goes to
    /// history, so it must hold no secret.
    fn token<'a>(&'a self, source: &'a TokenSource) -> BoxFuture<'a, Result<AccessToken>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_resources_get_their_scope_once() {
        for (given, resource) in [
            (
                "https://management.core.windows.net",
                "https://management.core.windows.net/.default",
            ),
            (
                "https://management.core.windows.net/",
                "https://management.core.windows.net/.default",
            ),
            (
                "https://management.core.windows.net/.default",
                "https://management.core.windows.net/.default",
            ),
            (
                "https://graph.microsoft.com/",
                "https://graph.microsoft.com/.default",
            ),
            ("https://vault.azure.net", "https://vault.azure.net"),
            ("api://app", "api://app"),
        ] {
            assert_eq!(TokenSource::managed_identity(given).resource(), resource);
        }
    }

    #[test]
    fn wire_form_has_kind_resource_and_options() {
        let plain = TokenSource::custom("vault", "jobs");
        let wire = r#"{"kind":"vault","resource":"jobs"}"#;
        assert_eq!(serde_json::to_string(&plain).unwrap(), wire);
        assert_eq!(serde_json::from_str::<TokenSource>(wire).unwrap(), plain);
        let full = TokenSource::managed_identity("x")
            .with_authority_host("https://login.example.com")
            .with_tenant("t");
        let wire = r#"{"kind":"AzureManagedIdentity","resource":"x","options":{"authorityhost":"https://login.example.com","tenantid":"t"}}"#;
        assert_eq!(serde_json::to_string(&full).unwrap(), wire);
        let read: TokenSource = serde_json::from_str(wire).unwrap();
        assert_eq!(read, full);
        assert!(read.is_managed_identity());
    }

    #[test]
    fn debug_hides_the_token() {
        let token = AccessToken {
            token: "s3cret".into(),
            expires_on: Utc::now(),
        };
        assert!(!format!("{token:?}").contains("s3cret"));
    }
}
