//! With what the hub's keys are encrypted: settings that the reference knows, else a file beside the hub.

use std::path::Path;

use durable_runtime::{Error, Result};

use super::config::Variables;
use crate::keys::Cipher;

const SETTING: &str = "AzureWebEncryptionKey";
/// Names the present one of several.
const PRIMARY: &str = "AzureWebPrimaryEncryptionKey";

/// The cipher that these settings mean. Keys that are not the present one open what they encrypted.
pub(super) fn cipher(settings: &Variables, hub: &Path) -> Result<Cipher> {
    let several = format!("{SETTING}_");
    let present = match settings.get(PRIMARY).map(str::trim) {
        None => SETTING.to_owned(),
        Some(id) => {
            let name = format!("{several}{id}");
            if settings.get(&name).is_none() {
                let text =
                    format!("the setting `{PRIMARY}` is `{id}`, but there is no setting `{name}`");
                return Err(Error::msg(text));
            }
            name
        }
    };
    let older = settings
        .below(SETTING)
        .filter(|(rest, value)| {
            (rest.is_empty() || rest.starts_with('_')) && !value.trim().is_empty()
        })
        .filter(|(rest, _)| !format!("{SETTING}{rest}").eq_ignore_ascii_case(&present))
        .map(|(_, value)| value);
    let cipher = Cipher::new(settings.get(&present), hub.with_extension("key"))?;
    Ok(cipher.with_older(older)?)
}
