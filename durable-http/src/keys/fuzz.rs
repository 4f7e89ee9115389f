//! What must hold of any file of keys, and of anything in the place of an encrypted value.

use std::path::PathBuf;

use serde_json::Value;

use super::cipher::from_hex;
use super::{Cipher, Scope, files};

/// Shorter ones are in any text by chance.
const SECRET: usize = 8;

/// A file of keys; the same text as a key file and as an encrypted value.
pub(crate) fn fuzz_keys_file(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let hex = from_hex(text.trim()).is_ok();
    assert!(!hex || text.trim().bytes().all(|digit| digit.is_ascii_hexdigit()));
    let cipher = Cipher::new(Some(&"ab".repeat(32)), PathBuf::new());
    let cipher = cipher.unwrap_or_else(|error| unreachable!("{error}"));
    assert!(
        cipher.open("host", "default", &text).is_err(),
        "nobody encrypted it"
    );
    match files::read(&text, "F") {
        Ok(keys) => {
            let shown = format!("{keys:?}");
            for key in &keys {
                let value = key.value.expose();
                assert!(!value.is_empty(), "a key without a value");
                let named = keys
                    .iter()
                    .any(|key| key.name.contains(value) || in_scope(&key.scope, value));
                assert!(
                    value.len() < SECRET || named || !shown.contains(value),
                    "{shown}"
                );
            }
            true
        }
        Err(error) => {
            let error = error.to_string();
            let (mut names, mut values) = (Vec::new(), Vec::new());
            let written = text.trim_start_matches('\u{feff}');
            collect(
                &serde_json::from_str(written).unwrap_or_default(),
                &mut names,
                &mut values,
            );
            for value in values.iter().filter(|value| value.len() >= SECRET) {
                let named = names.iter().any(|name| name.contains(value))
                    || FIXED.iter().any(|text| text.contains(value));
                assert!(named || !error.contains(value), "{error}");
            }
            hex
        }
    }
}

/// What errors say whatever the file holds.
const FIXED: &[&str] = &[
    "Invalid secrets file format. Expected `masterKey` and `functionKeys` of a host, `keys` of a function, or what `keys list --json` prints",
    "is encrypted, with a key that is not here; print the keys where they are (`az functionapp keys list`) and import that",
    "a key has no value: `",
];

fn in_scope(scope: &Scope, value: &str) -> bool {
    matches!(scope, Scope::Function(name) if name.contains(value))
}

/// Texts that name something, and all other texts.
fn collect(value: &Value, names: &mut Vec<String>, values: &mut Vec<String>) {
    match value {
        Value::String(text) => values.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, names, values)),
        Value::Object(members) => {
            for (name, member) in members {
                names.push(name.clone());
                match member {
                    Value::String(text) if name == "name" => names.push(text.clone()),
                    member => collect(member, names, values),
                }
            }
        }
        _ => {}
    }
}
