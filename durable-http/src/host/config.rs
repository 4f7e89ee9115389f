//! `host.json`, `local.settings.json`, environment: one look-up each, with the reference's precedence (host.md 6).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use durable_runtime::{Error, Result};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Where settings come from: those given to the host, the environment, then `local.settings.json`.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    given: BTreeMap<String, String>,
    local: BTreeMap<String, String>,
    /// `Host.LocalHttpPort`.
    pub(crate) local_port: Option<u16>,
}

impl Environment {
    pub(crate) fn read(given: &BTreeMap<String, String>, root: &Path) -> Result<Self> {
        let path = root.join("local.settings.json");
        let document = read_json(&path)?;
        let member = |name: &str| {
            document
                .get(name)
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default()
        };
        let text = |value: Value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        let local = member("Values")
            .into_iter()
            .map(|(name, value)| (name, text(value)))
            .collect();
        let port = member("Host").get("LocalHttpPort").and_then(Value::as_u64);
        Ok(Self {
            given: given.clone(),
            local,
            local_port: port.and_then(|port| port.try_into().ok()),
        })
    }

    /// A setting; blank is absent.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let found = self
            .given
            .get(name)
            .cloned()
            .or_else(|| std::env::var(name).ok())
            .or_else(|| self.local.get(name).cloned());
        found.filter(|value| !value.trim().is_empty())
    }

    /// Whether a setting says yes.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|value| value == "1" || value.eq_ignore_ascii_case("true"))
    }

    /// `%NAME%` becomes the setting's value.
    pub(crate) fn resolve(&self, text: &str) -> String {
        let name = text
            .strip_prefix('%')
            .and_then(|rest| rest.strip_suffix('%'));
        name.and_then(|name| self.get(name))
            .unwrap_or_else(|| text.to_owned())
    }
}

/// `host.json` with its overrides.
#[derive(Debug)]
pub(crate) struct HostJson {
    path: PathBuf,
    document: Map<String, Value>,
}

const OVERRIDE: &str = "AzureFunctionsJobHost__";

impl HostJson {
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let path = root.join("host.json");
        let exists = path.exists();
        let document = read_json(&path)?;
        if exists
            && !document.is_empty()
            && document.get("version").and_then(Value::as_str) != Some("2.0")
        {
            let found = document
                .get("version")
                .map_or_else(|| "none".to_owned(), Value::to_string);
            return Err(Error::msg(format!(
                "The host.json file is missing the required 'version' property. See https://aka.ms/functions-hostjson for steps to migrate \
                 the configuration file. ({}: found {found}, expected \"version\": \"2.0\")",
                path.display()
            )));
        }
        Ok(Self { path, document })
    }

    /// The value at a path of member names, an environment variable first.
    pub(crate) fn get<T: DeserializeOwned>(&self, keys: &str) -> Result<Option<T>> {
        let wanted = format!("{OVERRIDE}{}", keys.replace('.', "__"));
        let set = std::env::vars().find(|(name, _)| name.eq_ignore_ascii_case(&wanted));
        if let Some((name, text)) = set {
            let value = serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.clone()));
            let read = serde_json::from_value(value)
                .or_else(|_| serde_json::from_value(Value::String(text.clone())));
            return read.map(Some).map_err(|e| {
                Error::msg(format!("the environment variable {name} is `{text}`: {e}"))
            });
        }
        let mut value = Some(&self.document)
            .and_then(|document| find(document, keys.split('.').next().unwrap_or_default()));
        for key in keys.split('.').skip(1) {
            value = value
                .and_then(Value::as_object)
                .and_then(|object| find(object, key));
        }
        let Some(value) = value.filter(|value| !value.is_null()) else {
            return Ok(None);
        };
        let read = serde_json::from_value(value.clone()).map(Some);
        read.map_err(|e| Error::msg(format!("{}: `{keys}` is {value}: {e}", self.path.display())))
    }

    /// A time span `[d.]hh:mm:ss`, or `-1`: none.
    pub(crate) fn span(&self, keys: &str) -> Result<Option<Option<Duration>>> {
        let Some(text) = self.get::<String>(keys)? else {
            return Ok(None);
        };
        if text == "-1" {
            return Ok(Some(None));
        }
        let wrong = || {
            Error::msg(format!(
                "{}: `{keys}` is \"{text}\"; expected a time span such as \"00:05:00\", or \"-1\"",
                self.path.display()
            ))
        };
        parse_span(&text)
            .map(|span| Some(Some(span)))
            .ok_or_else(wrong)
    }

    /// Members below a path that are none of `known`, each with the nearest that is.
    pub(crate) fn unknown(&self, section: &str, known: &[&str]) -> Vec<String> {
        let mut object = Some(&self.document);
        for key in section.split('.') {
            object = object
                .and_then(|object| find(object, key))
                .and_then(Value::as_object);
        }
        let names = object.into_iter().flatten().map(|(name, _)| name);
        let strange =
            names.filter(|name| !known.iter().any(|known| known.eq_ignore_ascii_case(name)));
        strange
            .map(|name| {
                let nearest = known
                    .iter()
                    .min_by_key(|known| distance(&name.to_lowercase(), &known.to_lowercase()));
                let hint = nearest
                    .map(|nearest| format!("; did you mean `{nearest}`?"))
                    .unwrap_or_default();
                format!(
                    "{}: `{section}.{name}` is unknown and has no effect{hint}",
                    self.path.display()
                )
            })
            .collect()
    }
}

fn find<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    object
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(key))
        .map(|(_, value)| value)
}

/// The object in a file; none, or an empty one, if there is no file.
fn read_json(path: &Path) -> Result<Map<String, Value>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Map::new()),
        Err(error) => {
            return Err(Error::msg(format!(
                "{} cannot be read: {error}",
                path.display()
            )));
        }
    };
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|e| {
        Error::msg(format!(
            "{}:{}:{}: not a JSON object: {e}",
            path.display(),
            e.line(),
            e.column()
        ))
    })
}

pub(crate) fn parse_span(text: &str) -> Option<Duration> {
    let (days, clock) = text
        .split_once('.')
        .filter(|(_, rest)| rest.contains(':'))
        .unwrap_or(("0", text));
    let mut parts = clock.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let whole = |text: &str| text.parse::<u64>().ok();
    let seconds: f64 = seconds
        .parse()
        .ok()
        .filter(|seconds: &f64| (0.0..60.0).contains(seconds))?;
    let rest = whole(days)?
        .checked_mul(86_400)?
        .checked_add(whole(hours)?.checked_mul(3600)?)?
        .checked_add(whole(minutes)?.checked_mul(60)?)?;
    Some(Duration::from_secs(rest) + Duration::from_secs_f64(seconds))
}

/// How many letters differ.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut last = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replace = last + usize::from(x != *y);
            last = row[j + 1];
            row[j + 1] = replace.min(last + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_spans_are_read() {
        assert_eq!(parse_span("00:05:00"), Some(Duration::from_secs(300)));
        assert_eq!(
            parse_span("1.00:00:01.5"),
            Some(Duration::from_millis(86_401_500))
        );
        for wrong in ["5", "00:05", "a:b:c", "00:00:61", "1:2:3:4", ""] {
            assert_eq!(parse_span(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_malformed_file_is_named_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("host.json"), "{\n  \"version\": }").unwrap();
        let text = HostJson::read(folder.path()).unwrap_err().to_string();
        assert!(text.contains("host.json:2:"), "{text}");
        std::fs::write(folder.path().join("host.json"), "{\"extensions\":{}}").unwrap();
        assert!(
            HostJson::read(folder.path())
                .unwrap_err()
                .to_string()
                .contains("'version'")
        );
    }

    #[test]
    fn a_value_of_another_type_names_file_key_and_value() {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"{"version":"2.0","extensions":{"durableTask":{"maxOrchestrationActions":"many","hubnme":1}}}"#;
        std::fs::write(folder.path().join("host.json"), text).unwrap();
        let json = HostJson::read(folder.path()).unwrap();
        let error = json
            .get::<usize>("extensions.durableTask.maxOrchestrationActions")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("host.json")
                && error.contains("maxOrchestrationActions")
                && error.contains("many"),
            "{error}"
        );
        let unknown = json.unknown(
            "extensions.durableTask",
            &["hubName", "maxOrchestrationActions"],
        );
        assert!(
            unknown.len() == 1 && unknown[0].contains("`hubName`"),
            "{unknown:?}"
        );
    }
}
