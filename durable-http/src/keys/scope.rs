//! [`Scope`]: whose keys.

use std::fmt;

use super::generate::KeyKind;

/// Whose keys: of the host (which open every function), of extensions, of one function; and the one `_master`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Scope {
    /// The one key that opens everything.
    Master,
    /// Keys that open every function.
    Host,
    /// Keys of extensions.
    System,
    /// Keys of one function, by its lower-case name.
    Function(String),
}

impl Scope {
    /// The scope of a function's own keys.
    pub(crate) fn function(name: &str) -> Self {
        Self::Function(name.to_ascii_lowercase())
    }

    /// The scope as the store names it.
    pub(crate) fn stored(&self) -> String {
        match self {
            Self::Master => "master".into(),
            Self::Host => "host".into(),
            Self::System => "system".into(),
            Self::Function(name) => format!("function/{name}"),
        }
    }

    /// The scope of a stored key; `None` for what a later version may have added.
    pub(crate) fn from_stored(text: &str) -> Option<Self> {
        match text {
            "master" => Some(Self::Master),
            "host" => Some(Self::Host),
            "system" => Some(Self::System),
            _ => text.strip_prefix("function/").map(Self::function),
        }
    }

    /// What its keys are generated as.
    pub(crate) const fn kind(&self) -> KeyKind {
        match self {
            Self::Master => KeyKind::Master,
            Self::System => KeyKind::System,
            Self::Host | Self::Function(_) => KeyKind::Function,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Master => f.write_str("the master key"),
            Self::Host => f.write_str("host keys"),
            Self::System => f.write_str("system keys"),
            Self::Function(name) => write!(f, "keys of the function `{name}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_names_are_read_back() {
        for scope in [
            Scope::Master,
            Scope::Host,
            Scope::System,
            Scope::function("HttpTrigger"),
        ] {
            assert_eq!(Scope::from_stored(&scope.stored()), Some(scope));
        }
        assert_eq!(Scope::from_stored("newer"), None);
    }
}
