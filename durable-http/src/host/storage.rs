//! Which database holds the hub.

use std::path::{Path, PathBuf};

use super::config::{Config, Variables};

const DEFAULT_SETTING: &str = "AzureWebJobsStorage";
const TWO_FORMS: &str =
    "`sqlite://data/hub.db` (relative to the script root) or `sqlite:///var/lib/hub.db`";

/// Where the hub is.
#[derive(Debug)]
pub(super) struct Storage {
    /// What URLs and attributes call it.
    pub(super) connection: String,
    /// The SQLite file.
    pub(super) file: PathBuf,
    /// What is to be said of the choice.
    pub(super) notice: Option<String>,
}

impl Storage {
    /// As configuration says, else a file below the script root that is named after the hub.
    ///
    /// # Errors
    /// A setting that names no database that can be served.
    pub(super) fn find(
        config: &mut Config<'_>,
        variables: &Variables,
        script_root: &Path,
        hub: &str,
    ) -> Result<Self, String> {
        let named = config.text("extensions.durableTask.storageProvider.connectionName");
        let older = || config.text("extensions.durableTask.storageProvider.connectionStringName");
        let named = named.or_else(older);
        let setting = named.as_deref().unwrap_or(DEFAULT_SETTING);
        let value = variables
            .written(setting)
            .map(|value| (setting.to_owned(), value));
        let value = value.or_else(|| {
            let setting = format!("AzureWebJobs{setting}");
            variables.written(&setting).map(|value| (setting, value))
        });
        if let (None, Some(missing)) = (&value, &named) {
            return Err(format!(
                "the setting `{missing}`, which `storageProvider.connectionName` names, does not exist; expected {TWO_FORMS}"
            ));
        }
        let default = script_root.join(".durable").join(format!("{hub}.db"));
        let (file, notice) = match value {
            None => (default, None),
            Some((setting, value)) => match place(value.trim())
                .map_err(|problem| format!("the setting `{setting}` {problem}"))?
            {
                Some(file) => (script_root.join(file), None),
                None => {
                    let file = default.display();
                    let notice =
                        format!("the setting `{setting}` names no database: the hub is `{file}`");
                    (default, Some(notice))
                }
            },
        };
        let connection = match named {
            Some(name) => name
                .strip_prefix("AzureWebJobs")
                .unwrap_or(&name)
                .to_owned(),
            None => "Storage".to_owned(),
        };
        Ok(Self {
            connection,
            file,
            notice,
        })
    }
}

/// The file that a connection names; `None`: the default one.
fn place(value: &str) -> Result<Option<PathBuf>, String> {
    if value.is_empty() || value.eq_ignore_ascii_case("UseDevelopmentStorage=true") {
        return Ok(None);
    }
    if let Some(path) = value.strip_prefix("sqlite://") {
        if path.is_empty() {
            return Err(format!("names no file, expected {TWO_FORMS}"));
        }
        return Ok(Some(PathBuf::from(without_slash_before_drive(path))));
    }
    if value.starts_with("postgres://") || value.starts_with("postgresql://") {
        return Err(format!(
            "is a PostgreSQL URL, which this release cannot serve yet; expected {TWO_FORMS}"
        ));
    }
    // The value itself is not shown: it may hold an account's key.
    let azure = [
        "AccountName=",
        "AccountKey=",
        "DefaultEndpointsProtocol=",
        "BlobEndpoint=",
    ];
    if azure.iter().any(|word| value.contains(word)) {
        return Err(format!(
            "is a connection string of Azure Storage, which this host does not use; expected {TWO_FORMS} or `postgres://..`"
        ));
    }
    Err(format!("is no database URL, expected {TWO_FORMS}"))
}

/// `/C:/hub.db` is `C:/hub.db`.
fn without_slash_before_drive(path: &str) -> &str {
    match path.as_bytes() {
        [b'/', drive, b':', ..] if drive.is_ascii_alphabetic() => &path[1..],
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_a_connection() {
        for (value, file) in [
            ("", None),
            ("UseDevelopmentStorage=true", None),
            ("sqlite://data/hub.db", Some("data/hub.db")),
            ("sqlite:///var/lib/hub.db", Some("/var/lib/hub.db")),
            ("sqlite:///C:/hub.db", Some("C:/hub.db")),
        ] {
            assert_eq!(place(value), Ok(file.map(PathBuf::from)), "{value}");
        }
        for value in [
            "sqlite://",
            "hub.db",
            "postgres://h/db",
            "AccountName=a;AccountKey=b",
        ] {
            assert!(
                place(value).unwrap_err().contains("sqlite://data/hub.db"),
                "{value}"
            );
        }
        assert!(
            !place("AccountName=a;AccountKey=secret")
                .unwrap_err()
                .contains("secret")
        );
    }
}
