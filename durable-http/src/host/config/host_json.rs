//! [`Config`]: `host.json`, each value of which a variable may override.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use durable_runtime::Error;
use serde_json::Value;

use super::comments::plain;
use super::known::{SECTIONS, nearest};
use super::lines::line_of;
use super::{Variables, parse};

const OVERRIDES: &str = "AzureFunctionsJobHost__";
const NO_VERSION: &str = "The host.json file is missing the required 'version' property. See \
    https://aka.ms/functions-hostjson for steps to migrate the configuration file. (expected \"version\": \"2.0\")";

/// `host.json` with its overrides. Faults are collected, to be told together.
pub(crate) struct Config<'a> {
    file: PathBuf,
    text: String,
    root: Value,
    variables: &'a Variables,
    faults: Vec<String>,
}

impl<'a> Config<'a> {
    /// Of the file in that folder; the defaults, if there is none or it is empty.
    ///
    /// # Errors
    /// A file that is not a `host.json` of version 2.
    pub(crate) fn read(folder: &Path, variables: &'a Variables) -> Result<Self, Error> {
        let file = folder.join("host.json");
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(Error::msg(format!("{}: {error}", file.display()))),
        };
        Self::of(file, text, variables)
    }

    /// Of that text.
    pub(in crate::host) fn of(
        file: PathBuf,
        text: String,
        variables: &'a Variables,
    ) -> Result<Self, Error> {
        let text = plain(&text);
        let root = if text.trim().is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).map_err(|error| {
                Error::msg(format!("{}:{}: {error}", file.display(), error.line()))
            })?
        };
        let mut config = Self {
            file,
            root,
            variables,
            faults: Vec::new(),
            text,
        };
        config.check_version()?;
        config.check_sections();
        Ok(config)
    }

    fn check_version(&self) -> Result<(), Error> {
        let problem = match (&self.root, member(&self.root, "version")) {
            (Value::Null, _) => return Ok(()),
            (_, Some(Value::String(version))) if version == "2.0" => return Ok(()),
            (_, Some(other)) => format!("`version` is `{other}`, expected `\"2.0\"`"),
            (_, None) => NO_VERSION.to_owned(),
        };
        Err(Error::msg(format!("{}: {problem}", self.place("version"))))
    }

    /// The value, as far as it is what is expected.
    pub(crate) fn get<T>(
        &mut self,
        key: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let written = self.written(key)?;
        let text = match self.variables.resolve(&written) {
            Ok(text) => text,
            Err(name) => {
                self.fault(
                    key,
                    &written,
                    &format!("a setting `{name}`, which does not exist"),
                );
                return None;
            }
        };
        let value = parse(text.trim());
        if value.is_none() {
            self.fault(key, &text, expected);
        }
        value
    }

    /// A text.
    pub(crate) fn text(&mut self, key: &str) -> Option<String> {
        self.get(key, "a text", |text| Some(text.to_owned()))
    }

    /// True or false.
    pub(crate) fn flag(&mut self, key: &str, default: bool) -> bool {
        self.get(key, "true or false", parse::flag)
            .unwrap_or(default)
    }

    /// A number.
    pub(crate) fn number<T: FromStr>(&mut self, key: &str) -> Option<T> {
        self.get(key, "a number that is not negative", |text| {
            text.parse().ok()
        })
    }

    /// A list of texts; a setting writes it with commas.
    pub(crate) fn list(&mut self, key: &str) -> Vec<String> {
        let text = self.text(key).unwrap_or_default();
        if let Ok(list) = serde_json::from_str::<Vec<String>>(&text) {
            return list;
        }
        let items = text.split(',').map(str::trim);
        items
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// The members of an object of texts.
    pub(crate) fn members(&mut self, key: &str) -> Vec<(String, String)> {
        let mut found: Vec<(String, String)> = Vec::new();
        if let Some(Value::Object(members)) = self.value(key) {
            let members = members
                .iter()
                .filter_map(|(name, value)| Some((name, scalar(value)?)));
            found.extend(members.map(|(name, value)| (name.clone(), value)));
        }
        let prefix = format!("{}__", variable(key));
        for (name, value) in self.variables.below(&prefix) {
            found.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            found.push((name.to_owned(), value.to_owned()));
        }
        found
    }

    /// Notes that a value is not what is expected.
    pub(crate) fn fault(&mut self, key: &str, value: &str, expected: &str) {
        let variable = variable(key);
        let fault = if self.variables.written(&variable).is_some() {
            format!("the setting `{variable}` is `{value}`, expected {expected}")
        } else {
            format!(
                "{}: `{key}` is `{value}`, expected {expected}",
                self.place(key)
            )
        };
        self.faults.push(fault);
    }

    /// What is wrong, so far.
    pub(crate) fn take_faults(&mut self) -> Vec<String> {
        std::mem::take(&mut self.faults)
    }

    /// A section that is no object would hide all that was meant to be in it.
    fn check_sections(&mut self) {
        let sections = SECTIONS.map(|(section, _)| format!("extensions.{section}"));
        for key in std::iter::once("extensions".to_owned()).chain(sections) {
            let wrong = match self.value(&key) {
                None | Some(Value::Null | Value::Object(_)) => continue,
                Some(wrong) => wrong.to_string(),
            };
            let place = self.place(&key);
            self.faults
                .push(format!("{place}: `{key}` is `{wrong}`, expected an object"));
        }
    }

    /// Keys that nobody knows, in the file and among the variables.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let hint = |name: &str, known: &[&str]| {
            let near = nearest(name, known);
            near.map(|near| format!("; did you mean `{near}`?"))
                .unwrap_or_default()
        };
        for (section, known) in SECTIONS {
            let prefix = format!("{}__", variable(&format!("extensions.{section}")));
            for (rest, _) in self.variables.below(&prefix) {
                let name = rest.split("__").next().unwrap_or(rest);
                if !is_among(name, known) {
                    let hint = hint(name, known);
                    warnings.push(format!("the setting `{prefix}{rest}` has no meaning{hint}"));
                }
            }
            let Some(Value::Object(members)) = self.value(&format!("extensions.{section}")) else {
                continue;
            };
            for name in members.keys().filter(|name| !is_among(name, known)) {
                let key = format!("extensions.{section}.{name}");
                warnings.push(format!(
                    "{}: `{key}` has no meaning{}",
                    self.place(&key),
                    hint(name, known)
                ));
            }
        }
        warnings
    }

    fn written(&self, key: &str) -> Option<String> {
        let overridden = self.variables.written(&variable(key)).map(str::to_owned);
        overridden.or_else(|| match self.value(key)? {
            Value::Null => None,
            value => Some(scalar(value).unwrap_or_else(|| value.to_string())),
        })
    }

    fn value(&self, key: &str) -> Option<&Value> {
        key.split('.').try_fold(&self.root, member)
    }

    fn place(&self, key: &str) -> String {
        let path: Vec<&str> = key.split('.').collect();
        match line_of(&self.text, &path) {
            Some(line) => format!("{}:{line}", self.file.display()),
            None => self.file.display().to_string(),
        }
    }
}

fn variable(key: &str) -> String {
    format!("{OVERRIDES}{}", key.replace('.', "__"))
}

fn is_among(name: &str, known: &[&str]) -> bool {
    known.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Names are compared without case.
fn member<'v>(object: &'v Value, name: &str) -> Option<&'v Value> {
    let mut members = object.as_object()?.iter();
    members
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}
