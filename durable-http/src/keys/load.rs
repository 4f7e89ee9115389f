//! Reading the keys at start, and making those that must exist.

use std::collections::HashSet;
use std::sync::Arc;

use durable_runtime::store::{Change, KeyChange, KeyRecord, Receipt, Store};

use super::snapshot::Snapshot;
use super::standing::Standing;
use super::{Cipher, Inner, Keys, KeysError, Scope, Secret, generate};

/// The extension whose webhooks this host serves.
const EXTENSION_KEY: &str = "durabletask_extension";

impl Keys {
    /// Reads the hub's keys, and makes what is missing: on a new hub `_master` and the host key `default`; the system key
    /// `durabletask_extension`; `default` for each of the functions that has no key yet. The `others` get theirs when they are first asked
    /// for. Keys of functions that are no longer there are removed, and those that an older key encrypted are encrypted anew.
    ///
    /// # Errors
    /// Keys that cannot be decrypted: they are never replaced. A key file that cannot be read or made. The database.
    pub async fn load(
        store: Arc<dyn Store>,
        cipher: Cipher,
        functions: &[String],
        others: &[String],
    ) -> Result<Self, KeysError> {
        let stored = store.keys().await?;
        let mut snapshot = Snapshot::read(&stored, &cipher)?;
        let mut changes = Vec::new();
        if snapshot.is_stale() {
            changes.extend(encrypted_anew(&stored, &cipher)?);
            tracing::info!(
                "the hub's keys were encrypted with an older key: they are encrypted anew"
            );
        }
        let known: HashSet<String> = functions
            .iter()
            .chain(others)
            .map(|name| name.to_ascii_lowercase())
            .collect();
        changes.extend(orphans(&stored, &known));
        for (scope, name) in missing(&snapshot, functions) {
            changes.push(put_if_absent(&cipher, &scope, name)?);
        }
        if !changes.is_empty() {
            submit(&*store, changes).await?;
            // Another host may have been first: what the store kept counts.
            snapshot = Snapshot::read(&store.keys().await?, &cipher)?;
        }
        Ok(Self(Arc::new(Inner {
            store,
            cipher,
            functions: known,
            standing: Standing::new(snapshot),
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

    /// Makes the key `default` of a known function that has no key.
    ///
    /// # Errors
    /// The database.
    pub(crate) async fn make_default(&self, scope: &Scope) -> Result<(), KeysError> {
        let without = |keys: &Self| keys.knows(scope) && keys.list(scope).is_empty();
        if !matches!(scope, Scope::Function(_)) || !without(self) {
            return Ok(());
        }
        let _turn = self.0.changing.lock().await;
        if without(self) {
            let put = put_if_absent(&self.0.cipher, scope, "default")?;
            submit(&*self.0.store, vec![put]).await?;
            self.reload().await?;
        }
        Ok(())
    }

    /// Replaces the snapshot by what the store holds.
    pub(super) async fn reload(&self) -> Result<(), KeysError> {
        let stored = self.0.store.keys().await?;
        let fresh = Snapshot::read(&stored, &self.0.cipher)?;
        self.0.standing.change(|snapshot| *snapshot = fresh);
        Ok(())
    }

    /// Makes an extension's key at once, for whoever needs a link now; it is stored behind their back.
    pub(super) fn make_extension_key(&self, name: &str) -> Secret {
        let value = generate::generate(Scope::System.kind());
        self.0
            .standing
            .change(|snapshot| snapshot.put(Scope::System, name, value.clone()));
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

/// Removes the keys of functions that are gone.
fn orphans(stored: &[KeyRecord], known: &HashSet<String>) -> Vec<KeyChange> {
    let mut changes = Vec::new();
    for record in stored {
        if let Some(Scope::Function(function)) = Scope::from_stored(&record.scope)
            && !known.contains(&function)
        {
            tracing::info!(
                function,
                key = record.name,
                "the function is gone: its key is removed"
            );
            changes.push(KeyChange::Delete {
                scope: record.scope.clone(),
                name: record.name.clone(),
            });
        }
    }
    changes
}

/// Every key in its order: each moves to the end.
fn encrypted_anew(stored: &[KeyRecord], cipher: &Cipher) -> Result<Vec<KeyChange>, KeysError> {
    let mut changes = Vec::new();
    for KeyRecord { scope, name, value } in stored {
        if let Some(known) = Scope::from_stored(scope) {
            let value = cipher.open(scope, name, value)?.value;
            changes.push(sealed(cipher, &known, name, &value, false)?);
        }
    }
    Ok(changes)
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
