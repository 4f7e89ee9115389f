//! The identity under which the host runs: of a Kubernetes workload, of App Service and Functions, of a virtual machine, of a developer.
//!
//! The protocols are spoken here, and not by `azure_identity`: that crate keeps tokens without a way to get another one after a 401, reads
//! the process's environment alone (ours may come from `local.settings.json`), and would bring a second HTTP pipeline along.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::Utc;
use durable_runtime::{AccessToken, TokenSource};
use reqwest::{Client, RequestBuilder};
use tokio::sync::OnceCell;
use url::{Url, form_urlencoded};

use super::answer;
use super::azure_cli::AzureCli;

const PUBLIC_CLOUD: &str = "https://login.microsoftonline.com";
const IMDS: &str = "http://169.254.169.254";
/// A machine either has the service, next door, or has none.
const IMDS_PATIENCE: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(30);

/// Where tokens of the host's own identity come from.
pub(crate) struct ManagedIdentity {
    place: Place,
    /// Of several identities, which.
    client_id: Option<String>,
    cli: AzureCli,
    no_imds: AtomicBool,
    client: OnceCell<Result<Client, String>>,
}

enum Place {
    /// A service account's token is exchanged for one of the identity.
    Workload {
        token_file: PathBuf,
        client_id: String,
        tenant: String,
        authority: String,
    },
    /// The platform's endpoint beside the host.
    AppService { endpoint: String, header: String },
    /// The machine's metadata service; if there is none, the Azure CLI.
    Machine { imds: String },
}

impl ManagedIdentity {
    /// As the environment says.
    pub(crate) fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let client_id = variable("AZURE_CLIENT_ID");
        let workload = || {
            Some(Place::Workload {
                token_file: variable("AZURE_FEDERATED_TOKEN_FILE")?.into(),
                client_id: client_id.clone()?,
                tenant: variable("AZURE_TENANT_ID")?,
                authority: variable("AZURE_AUTHORITY_HOST")
                    .unwrap_or_else(|| PUBLIC_CLOUD.to_owned()),
            })
        };
        let app_service = || {
            Some(Place::AppService {
                endpoint: variable("IDENTITY_ENDPOINT")?,
                header: variable("IDENTITY_HEADER")?,
            })
        };
        let place = workload()
            .or_else(app_service)
            .unwrap_or_else(|| Place::Machine {
                imds: variable("AZURE_POD_IDENTITY_AUTHORITY_HOST")
                    .unwrap_or_else(|| IMDS.to_owned()),
            });
        Self {
            place,
            client_id,
            cli: AzureCli::default(),
            no_imds: AtomicBool::new(false),
            client: OnceCell::new(),
        }
    }

    /// A token.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn token(&self, source: &TokenSource) -> Result<AccessToken, String> {
        match &self.place {
            Place::Workload {
                token_file,
                client_id,
                tenant,
                authority,
            } => {
                let assertion = tokio::fs::read_to_string(token_file)
                    .await
                    .map_err(|error| format!("{}: {error}", token_file.display()))?;
                let tenant = source.tenant().unwrap_or(tenant);
                let authority = source.authority_host().unwrap_or(authority);
                let url = endpoint(authority, &["", tenant, "oauth2", "v2.0", "token"])?;
                let form = form_urlencoded::Serializer::new(String::new())
                    .append_pair("grant_type", "client_credentials")
                    .append_pair("client_id", client_id)
                    .append_pair("scope", &scope(source.resource()))
                    .append_pair(
                        "client_assertion_type",
                        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                    )
                    .append_pair("client_assertion", assertion.trim())
                    .finish();
                let request = self
                    .client()
                    .await?
                    .post(url)
                    .body(form)
                    .header("content-type", "application/x-www-form-urlencoded");
                ask(request, PATIENCE).await.map_err(Trouble::told)
            }
            Place::AppService {
                endpoint: url,
                header,
            } => {
                let mut url = Url::parse(url).map_err(|error| {
                    format!("the setting `IDENTITY_ENDPOINT` is no URL: {error}")
                })?;
                self.query(&mut url, "2019-08-01", source);
                let request = self
                    .client()
                    .await?
                    .get(url)
                    .header("X-IDENTITY-HEADER", header);
                ask(request, PATIENCE).await.map_err(Trouble::told)
            }
            Place::Machine { imds } => self.of_machine(imds, source).await,
        }
    }

    async fn of_machine(&self, imds: &str, source: &TokenSource) -> Result<AccessToken, String> {
        let mut absent = "there is no identity endpoint on this machine".to_owned();
        if !self.no_imds.load(Ordering::Relaxed) {
            let mut url = endpoint(imds, &["metadata", "identity", "oauth2", "token"])?;
            self.query(&mut url, "2018-02-01", source);
            let request = self.client().await?.get(url).header("Metadata", "true");
            match ask(request, IMDS_PATIENCE).await {
                Ok(token) => return Ok(token),
                Err(Trouble::Refused(why)) => return Err(why),
                Err(Trouble::Unreachable(why)) => {
                    self.no_imds.store(true, Ordering::Relaxed);
                    absent = format!("{absent} ({why})");
                }
            }
        }
        let scope = scope(source.resource());
        let asked = self.cli.token(&scope, source.tenant()).await;
        asked.map_err(|cli| format!("{absent}, and {cli}"))
    }

    fn query(&self, url: &mut Url, version: &str, source: &TokenSource) {
        let mut query = url.query_pairs_mut();
        query
            .append_pair("api-version", version)
            .append_pair("resource", resource(source.resource()));
        if let Some(client_id) = &self.client_id {
            query.append_pair("client_id", client_id);
        }
    }

    /// Not the one that applications shape: no proxy stands between a host and its own identity, and no rule about addresses.
    async fn client(&self) -> Result<&Client, String> {
        let next_door = !matches!(self.place, Place::Workload { .. });
        let build = move || {
            let builder = Client::builder().redirect(reqwest::redirect::Policy::none());
            let builder = if next_door {
                builder.no_proxy()
            } else {
                builder
            };
            builder
                .build()
                .map_err(|error| crate::call_http::classify::text(&error))
        };
        let built = self.client.get_or_init(|| async {
            let built = tokio::task::spawn_blocking(build).await;
            built.unwrap_or_else(|error| Err(error.to_string()))
        });
        built.await.as_ref().map_err(Clone::clone)
    }
}

/// Why an endpoint gave no token.
enum Trouble {
    Unreachable(String),
    Refused(String),
}

impl Trouble {
    fn told(self) -> String {
        match self {
            Self::Unreachable(why) | Self::Refused(why) => why,
        }
    }
}

async fn ask(request: RequestBuilder, patience: Duration) -> Result<AccessToken, Trouble> {
    let unreachable = |error: reqwest::Error| {
        let text = crate::call_http::classify::text(&error);
        Trouble::Unreachable(format!("the identity endpoint cannot be reached: {text}"))
    };
    let response = request
        .timeout(patience)
        .send()
        .await
        .map_err(unreachable)?;
    let status = response.status();
    let body = response.bytes().await.map_err(unreachable)?;
    if !status.is_success() {
        return Err(Trouble::Refused(answer::refused(status.as_u16(), &body)));
    }
    answer::granted(&body, Utc::now()).map_err(Trouble::Refused)
}

/// The URL of a path below a host's.
fn endpoint(host: &str, path: &[&str]) -> Result<Url, String> {
    let no_url = || format!("`{host}` is no authority's URL");
    let host = if host.contains("://") {
        host.to_owned()
    } else {
        format!("https://{host}")
    };
    let mut url = Url::parse(&host).map_err(|_| no_url())?;
    url.path_segments_mut()
        .map_err(|()| no_url())?
        .pop_if_empty()
        .extend(path.iter().filter(|segment| !segment.is_empty()));
    Ok(url)
}

/// The older protocols name a resource ..
fn resource(text: &str) -> &str {
    text.strip_suffix("/.default").unwrap_or(text)
}

/// .. the newer ones a scope of it.
fn scope(text: &str) -> String {
    if text.ends_with("/.default") {
        text.to_owned()
    } else {
        format!("{}/.default", text.trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_and_scopes() {
        for (given, as_resource, as_scope) in [
            (
                "https://vault.azure.net",
                "https://vault.azure.net",
                "https://vault.azure.net/.default",
            ),
            (
                "https://management.core.windows.net/.default",
                "https://management.core.windows.net",
                "https://management.core.windows.net/.default",
            ),
            ("api://app", "api://app", "api://app/.default"),
        ] {
            assert_eq!(
                (resource(given), scope(given).as_str()),
                (as_resource, as_scope)
            );
        }
    }

    #[test]
    fn endpoints_keep_their_path() {
        let token = ["", "t", "oauth2"];
        for (host, url) in [
            (
                "https://login.example.com",
                "https://login.example.com/t/oauth2",
            ),
            (
                "https://login.example.com/",
                "https://login.example.com/t/oauth2",
            ),
            ("login.example.com", "https://login.example.com/t/oauth2"),
            ("http://127.0.0.1:1/x", "http://127.0.0.1:1/x/t/oauth2"),
        ] {
            assert_eq!(endpoint(host, &token).unwrap().as_str(), url);
        }
        assert!(endpoint("https://", &token).is_err());
    }
}
