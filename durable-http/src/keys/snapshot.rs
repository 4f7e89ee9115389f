//! All keys as they stand, in memory, ready to be compared with.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use durable_runtime::store::KeyRecord;
use subtle::ConstantTimeEq as _;

use super::padded::Padded;
use super::{Cipher, Grant, KeysError, Level, Scope, Secret};

/// A key: its name as it was last written, and its value.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) name: Arc<str>,
    pub(crate) value: Secret,
}

/// Every key of the hub, in the order in which they were last put.
#[derive(Default)]
pub(super) struct Snapshot {
    master: Vec<Held>,
    host: Vec<Held>,
    system: Vec<Held>,
    functions: BTreeMap<String, Vec<Held>>,
    /// Some of them are encrypted with a key that is not the present one.
    stale: bool,
}

#[derive(Clone)]
struct Held {
    key: Key,
    compared: Padded,
}

impl Snapshot {
    /// The same keys, whose names share no counter of references with these: a thread that hands them out meets no other there.
    pub(super) fn apart(&self) -> Self {
        let apart = |keys: &[Held]| -> Vec<Held> { keys.iter().map(Held::apart).collect() };
        Self {
            master: apart(&self.master),
            host: apart(&self.host),
            system: apart(&self.system),
            functions: self
                .functions
                .iter()
                .map(|(name, keys)| (name.clone(), apart(keys)))
                .collect(),
            stale: self.stale,
        }
    }

    /// Decrypts what the store holds.
    pub(super) fn read(records: &[KeyRecord], cipher: &Cipher) -> Result<Self, KeysError> {
        let mut snapshot = Self::default();
        for record in records {
            let Some(scope) = Scope::from_stored(&record.scope) else {
                continue;
            };
            let opened = cipher.open(&record.scope, &record.name, &record.value)?;
            snapshot.stale |= opened.stale;
            snapshot.put(scope, &record.name, opened.value);
        }
        Ok(snapshot)
    }

    /// Adds a key at the end of its scope.
    pub(super) fn put(&mut self, scope: Scope, name: &str, value: Secret) {
        let compared = Padded::of(value.expose());
        let key = Key {
            name: name.into(),
            value,
        };
        let keys = match scope {
            Scope::Master => &mut self.master,
            Scope::Host => &mut self.host,
            Scope::System => &mut self.system,
            Scope::Function(name) => self.functions.entry(name).or_default(),
        };
        keys.push(Held { key, compared });
    }

    /// Whether some are to be encrypted anew.
    pub(super) const fn is_stale(&self) -> bool {
        self.stale
    }

    /// The keys of a scope, in their order.
    pub(super) fn keys(&self, scope: &Scope) -> impl Iterator<Item = &Key> {
        let held = match scope {
            Scope::Master => self.master.as_slice(),
            Scope::Host => self.host.as_slice(),
            Scope::System => self.system.as_slice(),
            Scope::Function(name) => self.functions.get(name).map_or(&[][..], Vec::as_slice),
        };
        held.iter().map(|held| &held.key)
    }

    /// The key of that name, in any case.
    pub(super) fn get(&self, scope: &Scope, name: &str) -> Option<&Key> {
        self.keys(scope).find(|key| is_same_name(&key.name, name))
    }

    /// What the value grants on a call of that function, or of none: `_master`, then system keys, host keys, the function's
    /// own. Every candidate is compared, whatever the earlier ones gave.
    pub(super) fn grant(&self, presented: &str, function: Option<&str>) -> Option<Grant> {
        let value = Padded::of(presented);
        let own = function
            .and_then(|name| self.functions.get(&*lower_case(name)))
            .map_or(&[][..], Vec::as_slice);
        [
            (Level::Admin, find(&self.master, &value)),
            (Level::System, find(&self.system, &value)),
            (Level::Function, find(&self.host, &value)),
            (Level::Function, find(own, &value)),
        ]
        .into_iter()
        .find_map(|(level, name)| {
            let name = name?;
            Some(Grant { level, name })
        })
        .filter(|_| !presented.is_empty())
    }
}

impl Held {
    fn apart(&self) -> Self {
        let mut apart = self.clone();
        apart.key.name = Arc::from(&*self.key.name);
        apart
    }
}

fn find(keys: &[Held], value: &Padded) -> Option<Arc<str>> {
    let mut found = None;
    for (index, held) in keys.iter().enumerate() {
        if bool::from(held.compared.ct_eq(value)) {
            found = found.or(Some(index));
        }
    }
    found
        .and_then(|index| keys.get(index))
        .map(|held| Arc::clone(&held.key.name))
}

fn is_same_name(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
        || (!(one.is_ascii() && other.is_ascii()) && one.to_lowercase() == other.to_lowercase())
}

fn lower_case(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::__private::AuthLevel;
    use crate::keys::level::may_call;

    /// The fixture of the specification's vectors.
    fn fixture() -> Snapshot {
        let mut keys = Snapshot::default();
        for (scope, name, value) in [
            (Scope::Master, "master", "m-1234"),
            (Scope::Host, "default", "hk-def"),
            (Scope::Host, "two", "hk-two"),
            (Scope::System, "test_extension", "sk-test"),
            (Scope::System, "other_extension", "sk-other"),
            (Scope::function("HttpTrigger"), "default", "fk-a"),
            (Scope::function("HttpTrigger"), "key1", "fk-a1"),
            (Scope::function("Other"), "default", "fk-b"),
            (Scope::function("AdminFn"), "default", "fk-adm"),
            (Scope::function("Anon"), "default", "fk-an"),
            (
                Scope::function("Old"),
                "default",
                "t8laajal0a1ajkgzoqlfv5gxr4ebhqozebw4qzdy",
            ),
        ] {
            keys.put(scope, name, value.into());
        }
        keys
    }

    #[test]
    fn vectors_of_key_authorization() {
        use AuthLevel::{Admin, Anonymous, Function};
        let keys = fixture();
        for (number, function, required, presented, open) in [
            (1, "HttpTrigger", Function, None, false),
            (2, "HttpTrigger", Function, Some("fk-a"), true),
            (4, "httptrigger", Function, Some("fk-a1"), true),
            (5, "HttpTrigger", Function, Some("hk-def"), true),
            (5, "HttpTrigger", Function, Some("hk-two"), true),
            (6, "HttpTrigger", Function, Some("m-1234"), true),
            (7, "HttpTrigger", Function, Some("fk-b"), false),
            (8, "HttpTrigger", Function, Some("sk-test"), false),
            (9, "HttpTrigger", Function, Some("FK-A"), false),
            (14, "HttpTrigger", Function, Some(""), false),
            (16, "AdminFn", Admin, None, false),
            (17, "AdminFn", Admin, Some("fk-adm"), false),
            (18, "AdminFn", Admin, Some("hk-def"), false),
            (18, "AdminFn", Admin, Some("sk-test"), false),
            (19, "AdminFn", Admin, Some("m-1234"), true),
            (20, "Anon", Anonymous, None, true),
            (21, "Anon", Anonymous, Some("garbage"), true),
            (
                28,
                "Old",
                Function,
                Some("t8laajal0a1ajkgzoqlfv5gxr4ebhqozebw4qzdy"),
                true,
            ),
        ] {
            let granted = presented.and_then(|key| keys.grant(key, Some(function)));
            let answer = may_call(required, granted.map(|grant| grant.level));
            assert_eq!(answer.is_ok(), open, "vector {number}: {presented:?}");
        }
    }

    #[test]
    fn the_grant_names_level_and_key() {
        let keys = fixture();
        for (presented, function, expected) in [
            ("m-1234", None, Some((Level::Admin, "master"))),
            ("sk-other", None, Some((Level::System, "other_extension"))),
            ("hk-two", None, Some((Level::Function, "two"))),
            ("fk-an", Some("anon"), Some((Level::Function, "default"))),
            ("fk-an", None, None),
            ("nothing", Some("anon"), None),
        ] {
            let grant = keys.grant(presented, function);
            let grant = grant.as_ref().map(|grant| (grant.level, &*grant.name));
            assert_eq!(grant, expected, "{presented}");
        }
    }

    #[test]
    fn names_are_found_in_any_case() {
        let keys = fixture();
        let key = keys.get(&Scope::function("HTTPTRIGGER"), "KEY1").unwrap();
        assert_eq!((&*key.name, key.value.expose()), ("key1", "fk-a1"));
    }
}
