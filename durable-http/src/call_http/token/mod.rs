//! Tokens: asked for when a request is sent, kept in memory until shortly before their end, and nowhere else.

mod answer;
mod azure_cli;
mod managed_identity;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use durable_runtime::durable_http::HttpFailure;
use durable_runtime::{AccessToken, FailureDetails, TokenProvider, TokenSource};

pub(super) use managed_identity::ManagedIdentity;

/// A token is renewed that long before its end, or when a tenth of its life is left.
const MARGIN: Duration = Duration::from_secs(300);
/// Sources whose tokens are kept at one time.
const MOST: usize = 1_000;

type Held = Arc<tokio::sync::Mutex<Option<Fresh>>>;

struct Fresh {
    token: AccessToken,
    renew_at: DateTime<Utc>,
}

/// All tokens of a host.
pub(super) struct Tokens {
    provider: Option<Arc<dyn TokenProvider>>,
    identity: ManagedIdentity,
    held: Mutex<HashMap<TokenSource, Held>>,
}

impl Tokens {
    pub(super) fn new(provider: Option<Arc<dyn TokenProvider>>, identity: ManagedIdentity) -> Self {
        Self {
            provider,
            identity,
            held: Mutex::default(),
        }
    }

    /// A token that is good for a while. Whoever asks at the same time waits for the same answer.
    ///
    /// # Errors
    /// None to be had.
    pub(super) async fn get(&self, source: &TokenSource) -> Result<String, FailureDetails> {
        let held = self.held(source);
        let mut held = held.lock().await;
        if let Some(fresh) = held.as_ref().filter(|fresh| Utc::now() < fresh.renew_at) {
            return Ok(fresh.token.token.clone());
        }
        self.fetch(source, &mut held).await
    }

    /// Another token than this one, which was refused; the same if the source has no other.
    ///
    /// # Errors
    /// None to be had.
    pub(super) async fn renew(
        &self,
        source: &TokenSource,
        refused: &str,
    ) -> Result<String, FailureDetails> {
        let held = self.held(source);
        let mut held = held.lock().await;
        if let Some(fresh) = held.as_ref().filter(|fresh| fresh.token.token != refused) {
            return Ok(fresh.token.token.clone());
        }
        self.fetch(source, &mut held).await
    }

    fn held(&self, source: &TokenSource) -> Held {
        let mut all = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST && !all.contains_key(source) {
            all.clear();
        }
        Arc::clone(all.entry(source.clone()).or_default())
    }

    async fn fetch(
        &self,
        source: &TokenSource,
        held: &mut Option<Fresh>,
    ) -> Result<String, FailureDetails> {
        let token = if source.is_managed_identity() {
            self.identity.token(source).await
        } else if let Some(provider) = &self.provider {
            provider.token(source).await.map_err(|e| e.to_string())
        } else {
            Err("nobody answers for this kind; give the host one with `with_token_provider`, or use `TokenSource::managed_identity`".to_owned())
        };
        let token = token.map_err(|why| {
            HttpFailure::Token.details(format!(
                "no token of the kind `{}` for `{}`: {why}",
                source.kind(),
                source.resource()
            ))
        })?;
        let secret = token.token.clone();
        *held = Some(Fresh {
            renew_at: renew_at(Utc::now(), token.expires_on),
            token,
        });
        Ok(secret)
    }
}

fn renew_at(now: DateTime<Utc>, expires: DateTime<Utc>) -> DateTime<Utc> {
    let life = (expires - now).to_std().unwrap_or_default();
    expires - (life / 10).min(MARGIN)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use durable_runtime::{Error, Result};
    use futures::FutureExt as _;
    use futures::future::{BoxFuture, join_all};

    use super::*;

    #[derive(Default)]
    struct Counting {
        asked: AtomicU32,
        life: Duration,
    }

    impl TokenProvider for Counting {
        fn token<'a>(&'a self, source: &'a TokenSource) -> BoxFuture<'a, Result<AccessToken>> {
            async move {
                let count = self.asked.fetch_add(1, Ordering::SeqCst);
                if source.resource() == "none" {
                    return Err(Error::msg("the vault is closed"));
                }
                tokio::task::yield_now().await;
                Ok(AccessToken {
                    token: format!("token {count}"),
                    expires_on: Utc::now() + self.life,
                })
            }
            .boxed()
        }
    }

    fn tokens(life: Duration) -> (Arc<Counting>, Tokens) {
        let provider = Arc::new(Counting {
            life,
            ..Counting::default()
        });
        let shared: Arc<dyn TokenProvider> = provider.clone();
        let tokens = Tokens::new(Some(shared), ManagedIdentity::of(|_| None));
        (provider, tokens)
    }

    #[tokio::test]
    async fn token_is_kept_until_it_is_refused_or_nearly_over() {
        let source = TokenSource::custom("vault", "jobs");
        let (provider, long) = tokens(Duration::from_secs(3600));
        let all = join_all((0..10).map(|_| long.get(&source))).await;
        assert!(all.iter().all(|token| token.as_deref() == Ok("token 0")));
        assert_eq!(long.renew(&source, "token 0").await.unwrap(), "token 1");
        assert_eq!(long.renew(&source, "token 0").await.unwrap(), "token 1");
        assert_eq!(provider.asked.load(Ordering::SeqCst), 2);
        let other = source.clone().with_tenant("t");
        assert_eq!(long.get(&other).await.unwrap(), "token 2");
        let (_, over) = tokens(Duration::ZERO);
        assert_eq!(over.get(&source).await.unwrap(), "token 0");
        assert_eq!(over.get(&source).await.unwrap(), "token 1");
    }

    #[tokio::test]
    async fn missing_tokens_say_whose_and_why() {
        let (_, tokens) = tokens(Duration::ZERO);
        let failure = tokens
            .get(&TokenSource::custom("vault", "none"))
            .await
            .unwrap_err();
        assert_eq!(failure.error_type, "TokenException");
        assert_eq!(failure.properties["kind"], "token");
        assert!(
            !failure.is_non_retriable && failure.message.contains("the vault is closed"),
            "{failure:?}"
        );
        let nobody = Tokens::new(None, ManagedIdentity::of(|_| None));
        let failure = nobody
            .get(&TokenSource::custom("vault", "jobs"))
            .await
            .unwrap_err();
        assert!(
            failure.message.contains("with_token_provider"),
            "{failure:?}"
        );
    }

    #[test]
    fn renewal_comes_before_the_end() {
        let now = Utc::now();
        for (life, left) in [(3600, 300), (86_400, 300), (600, 60), (0, 0)] {
            let expires = now + Duration::from_secs(life);
            assert_eq!(renew_at(now, expires), expires - Duration::from_secs(left));
        }
    }
}
