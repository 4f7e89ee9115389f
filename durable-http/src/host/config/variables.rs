//! [`Variables`]: settings by name. What the program gave wins over the environment, and that over `local.settings.json`.

use std::collections::BTreeMap;
use std::fmt;

/// Settings by name, in any case.
#[derive(Default)]
pub(crate) struct Variables(BTreeMap<String, (String, String)>);

/// Names only: values may be secrets.
impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Variables {
    /// Of these sources, the weakest first.
    pub(crate) fn of(sources: impl IntoIterator<Item = (String, String)>) -> Self {
        let named = |(name, value): (String, String)| (name.to_lowercase(), (name, value));
        Self(sources.into_iter().map(named).collect())
    }

    /// The process's environment, as far as it is text.
    pub(crate) fn environment() -> impl Iterator<Item = (String, String)> {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
    }

    /// The setting of that name; blank is absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.written(name).filter(|value| !value.trim().is_empty())
    }

    /// The setting of that name, be it blank.
    pub(crate) fn written(&self, name: &str) -> Option<&str> {
        let found = self.0.get(&name.to_lowercase());
        found.map(|(_, value)| value.as_str())
    }

    /// Whether it is `true` or `1`.
    pub(crate) fn flag(&self, name: &str) -> bool {
        let value = self.get(name).map(str::trim);
        value.is_some_and(|value| value == "1" || value.eq_ignore_ascii_case("true"))
    }

    /// All names, as they were written.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(|(name, _)| name.as_str())
    }

    /// Those whose names begin so: the rest of the name, and the value.
    pub(crate) fn below(&self, prefix: &str) -> impl Iterator<Item = (&str, &str)> {
        let length = prefix.len();
        let first = prefix.to_lowercase();
        let all = self.0.iter();
        all.filter(move |(name, _)| name.starts_with(&first))
            .filter_map(move |(_, (name, value))| Some((name.get(length..)?, value.as_str())))
    }

    /// The text with every `%NAME%` replaced.
    ///
    /// # Errors
    /// The name of a setting that does not exist.
    pub(crate) fn resolve(&self, text: &str) -> Result<String, String> {
        let mut parts = text.split('%');
        let mut resolved = parts.next().unwrap_or_default().to_owned();
        while let Some(name) = parts.next() {
            let Some(after) = parts.next() else {
                // A single percent sign is itself.
                resolved.push('%');
                resolved.push_str(name);
                break;
            };
            resolved.push_str(self.get(name).ok_or_else(|| name.to_owned())?);
            resolved.push_str(after);
        }
        Ok(resolved)
    }
}
