//! What administrators do to keys: renew, set, delete. Each takes effect with the next request.

use durable_runtime::store::KeyChange;

use super::load::{sealed, submit};
use super::{Key, Keys, KeysError, Scope, Secret, generate};

const LONGEST_NAME: usize = 128;
const LONGEST_VALUE: usize = 4096;

/// A key that was made or replaced.
#[derive(Debug, Clone)]
pub(crate) struct Changed {
    pub(crate) key: Key,
    /// It was not there before.
    pub(crate) created: bool,
}

impl Keys {
    /// Gives the key a new value; a key that is not there is made.
    pub(crate) async fn renew(&self, scope: &Scope, name: &str) -> Result<Changed, KeysError> {
        let (scope, name) = self.target(scope, name)?;
        let value = generate::generate(scope.kind());
        self.put(&scope, name, value).await
    }

    /// Gives the key that value; a key that is not there is made.
    pub(crate) async fn set(
        &self,
        scope: &Scope,
        name: &str,
        value: Secret,
    ) -> Result<Changed, KeysError> {
        if value.expose().is_empty() || value.expose().len() > LONGEST_VALUE {
            return Err(KeysError::Value);
        }
        let (scope, name) = self.target(scope, name)?;
        self.put(&scope, name, value).await
    }

    /// Revokes the key.
    pub(crate) async fn delete(&self, scope: &Scope, name: &str) -> Result<(), KeysError> {
        if is_master(name) {
            return Err(KeysError::MasterStays);
        }
        self.known(scope)?;
        let _turn = self.0.changing.lock().await;
        let missing = || KeysError::NoSuchKey(name.to_owned());
        let key = self.get(scope, name).ok_or_else(missing)?;
        let change = KeyChange::Delete {
            scope: scope.stored(),
            name: key.name.to_string(),
        };
        submit(&*self.0.store, vec![change]).await?;
        self.reload().await
    }

    async fn put(&self, scope: &Scope, name: &str, value: Secret) -> Result<Changed, KeysError> {
        let _turn = self.0.changing.lock().await;
        let created = self.get(scope, name).is_none();
        let change = sealed(&self.0.cipher, scope, name, &value, false)?;
        submit(&*self.0.store, vec![change]).await?;
        self.reload().await?;
        let name = name.into();
        let key = Key { name, value };
        Ok(Changed { key, created })
    }

    /// Where a key of that name is kept: `_master` of the host is in a scope of its own.
    fn target<'a>(&self, scope: &Scope, name: &'a str) -> Result<(Scope, &'a str), KeysError> {
        self.known(scope)?;
        match scope {
            Scope::Master => return Ok((Scope::Master, "master")),
            Scope::Host | Scope::System if is_master(name) => {
                return Ok((Scope::Master, "master"));
            }
            _ => {}
        }
        let length = name.chars().count();
        let valid = (1..=LONGEST_NAME).contains(&length)
            && !name.contains(|c: char| c == '/' || c.is_control())
            && !is_master(name);
        if valid {
            Ok((scope.clone(), name))
        } else {
            Err(KeysError::Name(name.to_owned()))
        }
    }

    fn known(&self, scope: &Scope) -> Result<(), KeysError> {
        match scope {
            Scope::Function(name) if !self.knows(scope) => {
                Err(KeysError::NoSuchFunction(name.clone()))
            }
            _ => Ok(()),
        }
    }
}

/// Whether the name is that of the master key in commands and URLs.
pub(super) fn is_master(name: &str) -> bool {
    name.eq_ignore_ascii_case("_master")
}
