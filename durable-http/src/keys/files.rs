//! Key files of an existing application, as the reference keeps them: `host.json` and `{function}.json`, in both of its versions; and
//! the lists that `az functionapp keys list` and `keys list --json` print.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Scope, Secret};

/// A key that a file holds.
#[derive(Debug)]
pub(crate) struct Filed {
    pub(crate) scope: Scope,
    pub(crate) name: String,
    pub(crate) value: Secret,
}

/// Why a file cannot be imported. Says no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FileError {
    #[error("it is not JSON: line {line}, column {column}")]
    Json { line: usize, column: usize },
    #[error(
        "Invalid secrets file format. Expected `masterKey` and `functionKeys` of a host, `keys` of a function, or what `keys list --json` prints"
    )]
    Format,
    #[error(
        "the key `{0}` is encrypted, with a key that is not here; print the keys where they are (`az functionapp keys list`) and import that"
    )]
    Encrypted(String),
    #[error("a key has no value: `{0}`")]
    NoValue(String),
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    name: String,
    #[serde(default)]
    value: Option<String>,
    #[serde(default)]
    encrypted: bool,
}

impl Entry {
    fn filed(self, scope: &Scope) -> Result<Filed, FileError> {
        if self.encrypted {
            return Err(FileError::Encrypted(self.name));
        }
        let value = self.value.filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| FileError::NoValue(self.name.clone()))?;
        let name = match scope {
            Scope::Master => "_master".to_owned(),
            _ => self.name,
        };
        Ok(Filed {
            scope: scope.clone(),
            name,
            value: value.as_str().into(),
        })
    }
}

/// The keys in a text. `function` is whose they are, if the text itself does not say: the file's name.
pub(crate) fn read(text: &str, function: &str) -> Result<Vec<Filed>, FileError> {
    let text = text.trim_start_matches('\u{feff}');
    let value: Value = serde_json::from_str(text).map_err(|error| FileError::Json {
        line: error.line(),
        column: error.column(),
    })?;
    let Value::Object(mut members) = value else {
        return Err(FileError::Format);
    };
    let of_function = Scope::function(function);
    if let Some(keys) = members.remove("keys") {
        return entries(keys, &of_function);
    }
    if let Some(Value::String(key)) = members.remove("key") {
        return Ok(vec![default(&key, &of_function)?]);
    }
    let Some(master) = members.remove("masterKey") else {
        return Err(FileError::Format);
    };
    let mut found = entries(Value::Array(vec![master_entry(master)]), &Scope::Master)?;
    match (
        members.remove("functionKeys"),
        members.remove("functionKey"),
    ) {
        (Some(keys), _) => found.extend(entries(keys, &Scope::Host)?),
        (None, Some(Value::String(key))) => found.push(default(&key, &Scope::Host)?),
        _ => return Err(FileError::Format),
    }
    if let Some(keys) = members.remove("systemKeys") {
        found.extend(entries(keys, &Scope::System)?);
    }
    if let Some(Value::Object(functions)) = members.remove("functions") {
        for (name, keys) in functions {
            found.extend(entries(keys, &Scope::function(&name))?);
        }
    }
    Ok(found)
}

/// The first version writes the value alone.
fn master_entry(master: Value) -> Value {
    match master {
        Value::String(value) => {
            let members = [("name", "master".to_owned()), ("value", value)];
            let members = members.map(|(name, value)| (name.to_owned(), value.into()));
            Value::Object(Map::from_iter(members))
        }
        other => other,
    }
}

fn default(value: &str, scope: &Scope) -> Result<Filed, FileError> {
    let entry = Entry {
        name: "default".to_owned(),
        value: Some(value.to_owned()),
        encrypted: false,
    };
    entry.filed(scope)
}

/// A list of entries, or an object of names and values.
fn entries(keys: Value, scope: &Scope) -> Result<Vec<Filed>, FileError> {
    let entry = |entry: Value| {
        let entry: Entry = serde_json::from_value(entry).map_err(|_| FileError::Format)?;
        entry.filed(scope)
    };
    match keys {
        Value::Array(list) => list.into_iter().map(entry).collect(),
        Value::Object(named) => named
            .into_iter()
            .map(|(name, value)| {
                let value = value.as_str().map(str::to_owned).ok_or(FileError::Format)?;
                Entry {
                    name,
                    value: Some(value),
                    encrypted: false,
                }
                .filed(scope)
            })
            .collect(),
        _ => Err(FileError::Format),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> Result<Vec<(Scope, String, String)>, FileError> {
        let found = read(text, "HttpTrigger")?;
        let shown = found
            .into_iter()
            .map(|key| (key.scope, key.name, key.value.expose().to_owned()));
        Ok(shown.collect())
    }

    /// Vectors 137 to 140.
    #[test]
    fn both_versions_are_read() {
        let key = |scope: &Scope, name: &str, value: &str| {
            (scope.clone(), name.to_owned(), value.to_owned())
        };
        let (function, host, system) = (Scope::function("HttpTrigger"), Scope::Host, Scope::System);
        for (text, expected) in [
            (
                r#"{"masterKey":"a","functionKey":"b"}"#,
                Ok(vec![
                    key(&Scope::Master, "_master", "a"),
                    key(&host, "default", "b"),
                ]),
            ),
            (r#"{"key":"k"}"#, Ok(vec![key(&function, "default", "k")])),
            (
                r#"{"masterKey":{"name":"master","value":"m","encrypted":false},"functionKeys":[{"name":"two","value":"t","encrypted":false}]}"#,
                Ok(vec![
                    key(&Scope::Master, "_master", "m"),
                    key(&host, "two", "t"),
                ]),
            ),
            (
                r#"{"keys":[{"name":"default","value":"x"},{"name":"b","value":"y","encrypted":false}],"source":"runtime"}"#,
                Ok(vec![
                    key(&function, "default", "x"),
                    key(&function, "b", "y"),
                ]),
            ),
            (
                r#"{"masterKey":"m","functionKeys":{"default":"d"},"systemKeys":{"s":"v"},"functions":{"F":{"one":"1"}}}"#,
                Ok(vec![
                    key(&Scope::Master, "_master", "m"),
                    key(&host, "default", "d"),
                    key(&system, "s", "v"),
                    key(&Scope::function("f"), "one", "1"),
                ]),
            ),
            (r#"{"foo":1}"#, Err(FileError::Format)),
            (r#"{"masterKey":"m"}"#, Err(FileError::Format)),
            ("[]", Err(FileError::Format)),
            ("{", Err(FileError::Json { line: 1, column: 1 })),
            (
                r#"{"keys":[{"name":"default","value":"CfDJ8","encrypted":true}]}"#,
                Err(FileError::Encrypted("default".to_owned())),
            ),
            (
                r#"{"keys":[{"name":"n"}]}"#,
                Err(FileError::NoValue("n".to_owned())),
            ),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn no_text_is_a_panic_and_no_error_says_a_value(text in r#"[\{\}\[\]":, a-z]{0,60}"#) {
            let _ = read(&text, "f");
        }

        #[test]
        fn what_is_nearly_a_file_is_refused_without_its_values(cut in 0usize..120, junk in "\\PC{0,3}") {
            let whole = r#"{"masterKey":{"name":"master","value":"SECRET","encrypted":false},"functionKeys":[{"name":"x","value":"SECRET"}]}"#;
            let mut text = whole.get(..cut.min(whole.len())).unwrap_or(whole).to_owned();
            text.push_str(&junk);
            if let Err(error) = read(&text, "f") {
                prop_assert!(!error.to_string().contains("SECRET"));
            }
        }
    }
}
