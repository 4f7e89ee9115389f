//! [`EntityId`]: which entity (spec 3.1).

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Which entity: the name of its function, compared without case, and a key, compared exactly. The key may be empty.
///
/// ```
/// use durable_runtime::EntityId;
///
/// let id = EntityId::new("Counter", "cats");
/// assert_eq!(id.to_string(), "@counter@cats");
/// assert_eq!("@COUNTER@cats".parse::<EntityId>()?, id);
/// # Ok::<(), durable_runtime::EntityIdFault>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "Parts")]
pub struct EntityId {
    name: Arc<str>,
    key: Arc<str>,
}

#[derive(Deserialize)]
struct Parts {
    name: String,
    key: String,
}

impl From<Parts> for EntityId {
    fn from(parts: Parts) -> Self {
        Self::new(parts.name, parts.key)
    }
}

impl EntityId {
    /// The entity of that name and key. A name that no function has is refused where the id is used.
    #[must_use]
    pub fn new(name: impl AsRef<str>, key: impl Into<String>) -> Self {
        Self {
            name: name.as_ref().to_lowercase().into(),
            key: key.into().into(),
        }
    }

    /// The entity of a type or function with `#[entity_trigger]`.
    #[must_use]
    pub fn of<E: crate::entity::Entity>(key: impl Into<String>) -> Self {
        Self::new(E::NAME, key)
    }

    /// The name, in lower case.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key, as given.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The id of the instance that the entity is.
    pub(crate) fn instance_id(&self) -> Arc<str> {
        self.to_string().into()
    }

    /// What is wrong with it as the target of a client's signal (spec 3.1): its key must fit into a URL.
    #[doc(hidden)]
    #[must_use]
    pub fn fault(&self) -> Option<EntityIdFault> {
        if self.name.is_empty() || self.name.contains('@') {
            return Some(EntityIdFault::Name);
        }
        let bad = |c: char| matches!(c, '/' | '\\' | '#' | '?') || c.is_control();
        self.key.chars().any(bad).then_some(EntityIdFault::Key)
    }
}

impl fmt::Display for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}@{}", self.name, self.key)
    }
}

impl FromStr for EntityId {
    type Err = EntityIdFault;

    /// Reads `@name@key`: the name ends at the second `@`, the key may hold more of them.
    fn from_str(text: &str) -> Result<Self, EntityIdFault> {
        let parts = text.strip_prefix('@').and_then(|rest| rest.split_once('@'));
        match parts {
            Some((name, key)) if !name.is_empty() => Ok(Self::new(name, key)),
            _ => Err(EntityIdFault::Form(text.to_owned())),
        }
    }
}

/// What is wrong with an entity id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntityIdFault {
    /// It is not `@name@key`.
    #[error("`{0}` is not an entity id; expected `@name@key`")]
    Form(String),
    /// The name is empty or holds an `@`.
    #[error(
        "Invalid entity id: entity name must not be a null or empty string. (Parameter 'entityName')"
    )]
    Name,
    /// The key has a character that no URL could carry.
    #[error(
        "entityKey (Parameter 'Entity keys must not contain /, \\, #, ?, or control characters.')"
    )]
    Key,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vector 71.
    #[test]
    fn ids_are_read_by_the_first_at_after_the_name() {
        for (text, name, key) in [
            ("@MyEntity@TestInstance", "myentity", "TestInstance"),
            ("@counter@a@b", "counter", "a@b"),
            ("@x@", "x", ""),
        ] {
            let id: EntityId = text.parse().unwrap();
            assert_eq!((id.name(), id.key()), (name, key), "{text}");
        }
        for text in ["", "invalidEntityId", "@", "@@", "@@x", "x@y", "x@y@z"] {
            assert_eq!(
                text.parse::<EntityId>(),
                Err(EntityIdFault::Form(text.to_owned()))
            );
        }
    }

    #[test]
    fn names_are_compared_without_case_also_from_json() {
        let id: EntityId = serde_json::from_str(r#"{"name":"Counter","key":"A"}"#).unwrap();
        assert_eq!(id, EntityId::new("COUNTER", "A"));
        assert_ne!(id, EntityId::new("COUNTER", "a"));
        assert_eq!(
            serde_json::to_string(&id).unwrap(),
            r#"{"name":"counter","key":"A"}"#
        );
    }
}
