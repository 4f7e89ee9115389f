//! What sends the requests of `call_http`: one shared client, whose redirects, addresses, sizes and times are ours.
//!
//! One request's way: [`CallHttp`] bounds it in time, `token` gets what it is to carry, `exchange` sends it and follows redirects, `guard`
//! looks at each place it is sent to, `body` reads the answer up to its limit, `classify` names what went wrong.

mod body;
mod classify;
mod exchange;
mod guard;
mod headers;
mod private_address;
mod redirect;
mod settings;
mod token;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use durable_runtime::durable_http::{
    HttpAnswer, HttpDelivery, HttpExecutor, HttpFailure, redact_url,
};
use durable_runtime::{FailureDetails, TokenProvider};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::sync::OnceCell;

pub(crate) use self::classify::text as error_text;
use self::exchange::Exchange;
use self::guard::{Guard, PublicAddresses};
pub(crate) use self::settings::{Settings, hosts};
use self::token::{ManagedIdentity, Tokens};

/// Makes the client that requests are sent with.
pub(crate) type ClientFactory = Arc<dyn Fn() -> reqwest::ClientBuilder + Send + Sync>;

/// What an application brings along for its requests.
#[derive(Default, Clone)]
pub(crate) struct Own {
    pub(crate) factory: Option<ClientFactory>,
    pub(crate) provider: Option<Arc<dyn TokenProvider>>,
}

/// Sends requests.
pub(crate) struct CallHttp {
    settings: Settings,
    guard: Guard,
    tokens: Tokens,
    client: OnceCell<Result<reqwest::Client, String>>,
}

impl CallHttp {
    /// Sends as the settings say; `variable` looks up settings of the environment, for the identity under which the host runs.
    ///
    /// # Errors
    /// An application's client that cannot be built.
    pub(crate) fn new(
        settings: Settings,
        own: Own,
        variable: impl Fn(&str) -> Option<String>,
    ) -> durable_runtime::Result<Self> {
        let mut client = OnceCell::new();
        if let Some(factory) = &own.factory {
            let built = finish(factory(), &settings).build().map_err(|error| {
                durable_runtime::Error::msg(format!(
                    "the client of `with_http_client_factory` cannot be built: {}",
                    classify::text(&error)
                ))
            })?;
            client = OnceCell::new_with(Some(Ok(built)));
        }
        Ok(Self {
            guard: Guard::new(&settings),
            tokens: Tokens::new(own.provider, ManagedIdentity::of(variable)),
            settings,
            client,
        })
    }

    /// Our own client is built when it is first used: a machine without certificates can do all that needs none. To read them takes a
    /// while, which is no request's time.
    async fn client(&self) -> Result<&reqwest::Client, FailureDetails> {
        let settings = self.settings.clone();
        let build = move || {
            let agent = concat!("durable-functions/", env!("CARGO_PKG_VERSION"));
            let builder = reqwest::Client::builder()
                .user_agent(agent)
                // Twice: one that was opened while another was on its way back is kept, not opened again and again.
                .pool_max_idle_per_host(settings.max_concurrent.saturating_mul(2));
            let built = finish(builder, &settings).build();
            built.map_err(|error| classify::text(&error))
        };
        let built = self.client.get_or_init(|| async {
            let built = tokio::task::spawn_blocking(build).await;
            built.unwrap_or_else(|error| Err(error.to_string()))
        });
        built.await.as_ref().map_err(|error| {
            let text = format!("no request can be sent: the client cannot be built: {error}");
            HttpFailure::Invalid.details(text)
        })
    }

    async fn answer(
        &self,
        client: &reqwest::Client,
        delivery: &HttpDelivery,
    ) -> Result<HttpAnswer, FailureDetails> {
        let exchange = Exchange {
            client,
            guard: &self.guard,
            settings: &self.settings,
            delivery,
        };
        let Some(source) = delivery.request.token_source() else {
            return exchange.run(None).await;
        };
        let token = self.tokens.get(source).await?;
        let answer = exchange.run(Some(&token)).await?;
        if answer.response.status != 401 {
            return Ok(answer);
        }
        // It may have been withdrawn. The same one once more would be refused once more.
        let fresh = self.tokens.renew(source, &token).await?;
        if fresh == token {
            return Ok(answer);
        }
        exchange.run(Some(&fresh)).await
    }

    async fn in_time(&self, delivery: &HttpDelivery) -> Result<HttpAnswer, FailureDetails> {
        let client = self.client().await?;
        let request = &delivery.request;
        let limit = request.timeout().unwrap_or(self.settings.request_timeout);
        match tokio::time::timeout(limit, self.answer(client, delivery)).await {
            Ok(result) => result,
            Err(_) => {
                let whose = match request.timeout() {
                    Some(_) => "Reached user specified timeout",
                    None => "Reached `httpSettings.requestTimeout`",
                };
                let url = redact_url(request.uri());
                let text = format!(
                    "the request {} {url} was not answered in time. {whose}: {}.",
                    request.method(),
                    settings::span(limit)
                );
                Err(HttpFailure::Timeout.details(text))
            }
        }
    }
}

/// Redirects and addresses are ours, whoever made the client.
fn finish(builder: reqwest::ClientBuilder, settings: &Settings) -> reqwest::ClientBuilder {
    let builder = builder
        .redirect(reqwest::redirect::Policy::none())
        .referer(false);
    if settings.deny_private {
        // Behind a proxy nobody would see which address it is.
        builder.no_proxy().dns_resolver(PublicAddresses)
    } else {
        builder
    }
}

impl HttpExecutor for CallHttp {
    fn execute(&self, delivery: HttpDelivery) -> BoxFuture<'_, Result<HttpAnswer, FailureDetails>> {
        async move {
            let began = Instant::now();
            let dropped = delivery.context.cancellation_token();
            let result = tokio::select! {
                result = self.in_time(&delivery) => result,
                () = dropped.cancelled() => {
                    Err(HttpFailure::Timeout.details("the request was given up: nobody waits for its answer any more"))
                }
            };
            log(&delivery, &result, began.elapsed());
            result
        }
        .boxed()
    }
}

fn log(delivery: &HttpDelivery, result: &Result<HttpAnswer, FailureDetails>, duration: Duration) {
    let (method, url) = (
        delivery.request.method(),
        redact_url(delivery.request.uri()),
    );
    match result {
        Ok(answer) => {
            let status = answer.response.status;
            tracing::debug!(method, url, status, ?duration, "call_http");
        }
        Err(failure) => {
            let kind = failure
                .properties
                .get("kind")
                .and_then(|kind| kind.as_str());
            tracing::debug!(method, url, kind, ?duration, "call_http got no answer");
        }
    }
}

impl fmt::Debug for CallHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallHttp")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Own")
            .field("factory", &self.factory.is_some())
            .field("provider", &self.provider.is_some())
            .finish()
    }
}
