//! `local.settings.json`: settings for development, in the form that the Functions tools use.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

use durable_runtime::Error;
use serde::Deserialize;
use serde_json::Value;

use super::comments::plain;

const FILE: &str = "local.settings.json";

/// `local.settings.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct LocalSettings {
    is_encrypted: bool,
    values: BTreeMap<String, Value>,
    host: LocalHost,
}

/// Where to listen.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct LocalHost {
    /// Origins whose pages may call, with commas between.
    #[serde(rename = "CORS")]
    pub(crate) cors: Option<String>,
    /// Whether they may send cookies.
    #[serde(rename = "CORSCredentials")]
    pub(crate) cors_credentials: bool,
    /// The port.
    pub(crate) local_http_port: Option<u16>,
    /// The address.
    pub(crate) local_http_address: Option<IpAddr>,
}

impl LocalSettings {
    /// Of the file in that folder; nothing, if there is none.
    ///
    /// # Errors
    /// A file that cannot be read, with the line.
    pub(crate) fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(FILE);
        let refused = |problem: String| Error::msg(format!("{}{problem}", path.display()));
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(refused(format!(": {error}"))),
        };
        let read: Self = serde_json::from_str(&plain(&text))
            .map_err(|error| refused(format!(":{}: {error}", error.line())))?;
        if read.is_encrypted {
            let text =
                ": `IsEncrypted` is true, expected false: encrypted settings cannot be read here";
            return Err(refused(text.to_owned()));
        }
        Ok(read)
    }

    /// Where to listen.
    pub(crate) fn host(&self) -> LocalHost {
        self.host.clone()
    }

    /// The settings.
    pub(crate) fn into_values(self) -> impl Iterator<Item = (String, String)> {
        self.values.into_iter().map(|(name, value)| match value {
            Value::String(text) => (name, text),
            other => (name, other.to_string()),
        })
    }
}
