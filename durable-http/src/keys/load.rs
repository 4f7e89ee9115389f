//! Reading the keys at start, and making those that must exist.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use durable_runtime::store::{Change, KeyChange, KeyRecord, Receipt, Store};

use super::snapshot::Snapshot;
use super::{Cipher, Inner, Keys, KeysError, Scope, Secret, generate};

/// The extension whose webhooks this host serves.
const EXTENSION_KEY: &str = "durabletask_extension";

impl Keys {
    /// Reads the hub's keys, and makes what is missing: on a new hub `_master` and the host key `default`; the system key
    /// `durabletask_extension`; `default` for each of the functions that has no key yet.
    ///
    /// # Errors
    /// Keys that cannot be decrypted: they are never replaced. A key file that cannot be read or made. The database.
    pub async fn load(
        store: Arc<dyn Store>,
        cipher: Cipher,
        functions: &[String],
    ) -> Result<Self, KeysError> {
        let stored = store.keys().await?;
        let mut snapshot = Snapshot::read(&stored, &cipher)?;
        let missing = missing(&snapshot, functions);
        if !missing.is_empty() {
            let new = missing
                .into_iter()
                .map(|(scope, name)| put_if_absent(&cipher, &scope, name))
                .collect::<Result<_, _>>()?;
            submit(&*store, new).await?;
            // Another host may have been first: what the store kept counts.
            snapshot = Snapshot::read(&store.keys().await?, &cipher)?;
        }
        Ok(Self(Arc::new(Inner {
            store,
            cipher,
            functions: functions
                .iter()
                .map(|name| name.to_ascii_lowercase())
                .collect::<HashSet<_>>(),
            snapshot: RwLock::new(snapshot),
            changing: tokio::sync::Mutex::new(()),
        })))
    }

    /// The master key among stored keys: for a tool beside the host that holds them.
    #[cfg(feature = "cli")]
    pub(crate) fn master_among(
        stored: &[KeyRecord],
        cipher: &Cipher,
    ) -> Result<Option<Secret>, KeysError> {
        let keys = Self::of_scope(stored, cipher, &Scope::Master)?;
        Ok(keys.into_iter().next().map(|key| key.value))
    }

    /// The keys of a scope among stored keys.
    #[cfg(feature = "cli")]
    pub(crate) fn of_scope(
        stored: &[KeyRecord],
        cipher: &Cipher,
        scope: &Scope,
    ) -> Result<Vec<super::Key>, KeysError> {
        let snapshot = Snapshot::read(stored, cipher)?;
        Ok(snapshot.keys(scope).cloned().collect())
    }

    /// Replaces the snapshot by what the store holds.
    pub(super) async fn reload(&self) -> Result<(), KeysError> {
        let stored = self.0.store.keys().await?;
        let fresh = Snapshot::read(&stored, &self.0.cipher)?;
        let mut snapshot = self.0.snapshot.write();
        **snapshot.as_mut().unwrap_or_else(|poison| poison.get_mut()) = fresh;
        Ok(())
    }

    /// Makes an extension's key at once, for whoever needs a link now; it is stored behind their back.
    pub(super) fn make_extension_key(&self, name: &str) -> Secret {
        let value = generate::generate(Scope::System.kind());
        self.0
            .snapshot
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .put(Scope::System, name, value.clone());
        match sealed(&self.0.cipher, &Scope::System, name, &value, true) {
            Ok(put) => self.0.store.submit(
                Change::Keys(vec![put]),
                Box::new(|stored| {
                    if let Err(error) = stored {
                        tracing::warn!(%error, "a new system key could not be stored");
                    }
                }),
            ),
            Err(error) => tracing::warn!(%error, "a new system key could not be stored"),
        }
        value
    }
}

fn missing<'a>(stored: &Snapshot, functions: &'a [String]) -> Vec<(Scope, &'a str)> {
    let mut missing = Vec::new();
    if stored.keys(&Scope::Master).next().is_none() {
        missing.push((Scope::Master, "master"));
        missing.push((Scope::Host, "default"));
    }
    if stored.get(&Scope::System, EXTENSION_KEY).is_none() {
        missing.push((Scope::System, EXTENSION_KEY));
    }
    let functions = functions.iter().map(|name| Scope::function(name));
    missing.extend(
        functions
            .filter(|scope| stored.keys(scope).next().is_none())
            .map(|scope| (scope, "default")),
    );
    missing
}

fn put_if_absent(cipher: &Cipher, scope: &Scope, name: &str) -> Result<KeyChange, KeysError> {
    let value = generate::generate(scope.kind());
    sealed(cipher, scope, name, &value, true)
}

/// The change that stores a key.
pub(super) fn sealed(
    cipher: &Cipher,
    scope: &Scope,
    name: &str,
    value: &Secret,
    only_if_absent: bool,
) -> Result<KeyChange, KeysError> {
    let scope = scope.stored();
    let value = cipher.seal(&scope, name, value)?;
    let name = name.to_owned();
    Ok(KeyChange::Put {
        key: KeyRecord { scope, name, value },
        only_if_absent,
    })
}

/// Stores changes, all or none.
pub(super) async fn submit(
    store: &dyn Store,
    changes: Vec<KeyChange>,
) -> Result<Receipt, KeysError> {
    let (done, answer) = tokio::sync::oneshot::channel();
    store.submit(
        Change::Keys(changes),
        Box::new(move |result| {
            // Whoever asked may have gone.
            let _ = done.send(result);
        }),
    );
    let gone = |_| durable_runtime::store::Error::Unavailable("the store was closed".into());
    Ok(answer.await.map_err(gone)??)
}
