//! What a key grants, and what a grant opens. Pure: values in, decisions out.

use std::sync::Arc;

use crate::__private::AuthLevel;

/// What a recognised key makes of its caller. The levels are no ladder: a system key opens no function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// A host key, or a key of the function that is called.
    Function,
    /// A key of an extension.
    System,
    /// `_master`.
    Admin,
}

impl Level {
    /// The name that claims show.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Function => "Function",
            Self::System => "System",
            Self::Admin => "Admin",
        }
    }
}

/// What the caller of a request is allowed, and by which key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The level.
    pub level: Level,
    /// The key's name; `master` for `_master`, empty when the host asks for no keys.
    pub name: Arc<str>,
}

impl Grant {
    /// What everybody has on a host that asks for no keys.
    pub(crate) fn unguarded() -> Self {
        Self {
            level: Level::Admin,
            name: Arc::from(""),
        }
    }
}

/// Why a request is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// No key, or none that is known here: 401.
    Unauthorized,
    /// A known key of the wrong kind: 403.
    Forbidden,
}

/// Whether the caller may call a function of that level. Functions never answer 403.
pub(crate) fn may_call(required: AuthLevel, granted: Option<Level>) -> Result<(), Denied> {
    let open = match required {
        AuthLevel::Anonymous => true,
        AuthLevel::Function => matches!(granted, Some(Level::Function | Level::Admin)),
        AuthLevel::Admin => granted == Some(Level::Admin),
    };
    if open {
        Ok(())
    } else {
        Err(Denied::Unauthorized)
    }
}

/// Whether the caller may use `/admin`.
pub(crate) fn may_administrate(granted: Option<Level>) -> Result<(), Denied> {
    match granted {
        Some(Level::Admin) => Ok(()),
        Some(Level::Function | Level::System) => Err(Denied::Forbidden),
        None => Err(Denied::Unauthorized),
    }
}

/// Whether the caller may use an extension's webhooks: by its own system key or `_master`.
pub(crate) fn may_use_extension(extension: &str, granted: Option<&Grant>) -> Result<(), Denied> {
    match granted {
        None => Err(Denied::Unauthorized),
        Some(grant) if grant.level == Level::Admin => Ok(()),
        Some(grant) if grant.level == Level::System && names(&grant.name, extension) => Ok(()),
        Some(_) => Err(Denied::Forbidden),
    }
}

fn names(key: &str, extension: &str) -> bool {
    let suffix = "_extension";
    key.len() == extension.len() + suffix.len()
        && key
            .get(..extension.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(extension))
        && key
            .get(extension.len()..)
            .is_some_and(|tail| tail.eq_ignore_ascii_case(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_of_the_table_of_functions() {
        const NO: Result<(), Denied> = Err(Denied::Unauthorized);
        const OK: Result<(), Denied> = Ok(());
        let presented = [
            None,
            Some(Level::Function),
            Some(Level::System),
            Some(Level::Admin),
        ];
        for (required, expected) in [
            (AuthLevel::Anonymous, [OK, OK, OK, OK]),
            (AuthLevel::Function, [NO, OK, NO, OK]),
            (AuthLevel::Admin, [NO, NO, NO, OK]),
        ] {
            assert_eq!(
                presented.map(|level| may_call(required, level)),
                expected,
                "{required:?}"
            );
        }
    }

    #[test]
    fn every_cell_of_the_table_of_other_endpoints() {
        let grant = |level, name: &str| Grant {
            level,
            name: name.into(),
        };
        for (granted, admin, webhooks) in [
            (None, Err(Denied::Unauthorized), Err(Denied::Unauthorized)),
            (
                Some(grant(Level::Function, "durabletask_extension")),
                Err(Denied::Forbidden),
                Err(Denied::Forbidden),
            ),
            (
                Some(grant(Level::System, "other_extension")),
                Err(Denied::Forbidden),
                Err(Denied::Forbidden),
            ),
            (
                Some(grant(Level::System, "durabletask_extension")),
                Err(Denied::Forbidden),
                Ok(()),
            ),
            (Some(grant(Level::Admin, "master")), Ok(()), Ok(())),
        ] {
            let level = granted.as_ref().map(|grant| grant.level);
            assert_eq!(may_administrate(level), admin, "{granted:?}");
            for extension in ["durabletask", "DurableTask"] {
                assert_eq!(
                    may_use_extension(extension, granted.as_ref()),
                    webhooks,
                    "{granted:?}"
                );
            }
        }
    }
}
