//! How keys are encrypted at rest: AES-256-GCM, a random nonce for each value, bound to the key's scope and name.

use std::fmt;
use std::path::PathBuf;
use std::sync::OnceLock;

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead as _, Generate as _, KeyInit as _, Nonce, Payload};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{KeysError, Secret, key_file};

/// Marks the way in which a value is encrypted, so that a later way can be told apart.
const VERSION: &str = "v1:";
const PURPOSE: &str = "durable-functions access key";
const NONCE: usize = 12;

/// Encrypts what the store keeps of a key, and decrypts it. Shows nothing of its own key.
#[derive(Clone)]
pub struct Cipher {
    /// Read, or made, when it is first needed: a hub whose key file is gone must not get a new one that fits nothing.
    cipher: OnceLock<Aes256Gcm>,
    source: Source,
}

#[derive(Clone)]
enum Source {
    Setting,
    File(PathBuf),
}

impl Cipher {
    /// A cipher with the key that the setting `AzureWebEncryptionKey` holds, else with the key in that file, which is made
    /// when the first value is encrypted.
    ///
    /// # Errors
    /// A setting that is not 64 hexadecimal digits.
    pub fn new(setting: Option<&str>, key_file: PathBuf) -> Result<Self, KeysError> {
        let Some(text) = setting.map(str::trim).filter(|text| !text.is_empty()) else {
            return Ok(Self {
                cipher: OnceLock::new(),
                source: Source::File(key_file),
            });
        };
        let key = from_hex(text).map_err(KeysError::Setting)?;
        Ok(Self {
            cipher: OnceLock::from(Aes256Gcm::new(&key.into())),
            source: Source::Setting,
        })
    }

    /// The value as the store keeps it.
    pub(super) fn seal(
        &self,
        scope: &str,
        name: &str,
        value: &Secret,
    ) -> Result<String, KeysError> {
        let cipher = self.cipher(key_file::read_or_create)?;
        let nonce = Nonce::<Aes256Gcm>::generate();
        let text = Payload {
            msg: value.expose().as_bytes(),
            aad: &bound_to(scope, name),
        };
        let sealed = cipher.encrypt(&nonce, text).map_err(|_| KeysError::Value)?;
        let mut bytes = nonce.to_vec();
        bytes.extend(sealed);
        Ok(format!("{VERSION}{}", STANDARD.encode(bytes)))
    }

    /// The value that [`Self::seal`] was given.
    pub(super) fn open(&self, scope: &str, name: &str, sealed: &str) -> Result<Secret, KeysError> {
        let cipher = self.cipher(key_file::read)?;
        sealed
            .strip_prefix(VERSION)
            .and_then(|text| STANDARD.decode(text).ok())
            .and_then(|bytes| {
                let (nonce, text) = bytes.split_first_chunk::<NONCE>()?;
                let text = Payload {
                    msg: text,
                    aad: &bound_to(scope, name),
                };
                let value = cipher.decrypt(&(*nonce).into(), text).ok()?;
                String::from_utf8(value).ok()
            })
            .map(Secret::from)
            .ok_or_else(|| KeysError::Undecryptable {
                what: format!("key `{name}` ({scope})"),
                with: self.source.to_string(),
            })
    }

    fn cipher(
        &self,
        from_file: fn(&std::path::Path) -> Result<[u8; 32], KeysError>,
    ) -> Result<&Aes256Gcm, KeysError> {
        if let (None, Source::File(path)) = (self.cipher.get(), &self.source) {
            let key = from_file(path)?;
            return Ok(self.cipher.get_or_init(|| Aes256Gcm::new(&key.into())));
        }
        self.cipher
            .get()
            .ok_or_else(|| KeysError::Setting("it is missing".into()))
    }
}

/// What the ciphertext is bound to: a value moved to another name or scope does not decrypt.
fn bound_to(scope: &str, name: &str) -> Vec<u8> {
    [PURPOSE, scope, name].join("\0").into_bytes()
}

/// 32 bytes from 64 hexadecimal digits; the error goes on after "but".
pub(super) fn from_hex(text: &str) -> Result<[u8; 32], String> {
    if text.len() != 64 {
        return Err(format!("it has {} characters", text.chars().count()));
    }
    let mut key = [0; 32];
    for (byte, pair) in key.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = std::str::from_utf8(pair)
            .ok()
            .filter(|pair| pair.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|pair| u8::from_str_radix(pair, 16).ok())
            .ok_or("not all of it are hexadecimal digits")?;
    }
    Ok(key)
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting => f.write_str("the setting `AzureWebEncryptionKey`"),
            Self::File(path) => write!(f, "the key file `{}`", path.display()),
        }
    }
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cipher({})", self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";

    fn cipher(setting: &str) -> Cipher {
        Cipher::new(Some(setting), PathBuf::new()).unwrap()
    }

    #[test]
    fn a_value_comes_back_and_is_never_stored_twice_alike() {
        let cipher = cipher(HEX);
        let value = Secret::from("fk-a");
        let sealed = cipher.seal("host", "default", &value).unwrap();
        assert!(sealed.starts_with("v1:") && !sealed.contains("fk-a"));
        assert_ne!(sealed, cipher.seal("host", "default", &value).unwrap());
        let opened = cipher.open("host", "default", &sealed).unwrap();
        assert_eq!(opened.expose(), "fk-a");
    }

    #[test]
    fn another_place_or_key_or_a_changed_byte_does_not_decrypt() {
        let first = cipher(HEX);
        let sealed = first.seal("host", "default", &Secret::from("x")).unwrap();
        assert!(first.open("system", "default", &sealed).is_err());
        assert!(first.open("host", "other", &sealed).is_err());
        assert!(
            cipher(&"f".repeat(64))
                .open("host", "default", &sealed)
                .is_err()
        );
        assert!(
            first
                .open("host", "default", &sealed.replace("v1", "v2"))
                .is_err()
        );
        assert!(first.open("host", "default", "v1:AAAA").is_err());
    }

    #[test]
    fn a_setting_of_another_shape_is_refused_and_not_shown() {
        for wrong in ["abc", &"g".repeat(64), &"é".repeat(32), &"+f".repeat(32)] {
            let error = Cipher::new(Some(wrong), PathBuf::new()).unwrap_err();
            let text = error.to_string();
            assert!(
                text.contains("AzureWebEncryptionKey") && !text.contains(wrong),
                "{text}"
            );
        }
    }

    #[test]
    fn a_lost_key_file_is_named_and_not_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hub.key");
        let cipher = || Cipher::new(Some(" "), path.clone()).unwrap();
        let sealed = cipher()
            .seal("host", "default", &Secret::from("x"))
            .unwrap();
        assert_eq!(
            cipher().open("host", "default", &sealed).unwrap().expose(),
            "x"
        );
        std::fs::remove_file(&path).unwrap();
        let error = cipher().open("host", "default", &sealed).unwrap_err();
        assert!(error.to_string().contains("hub.key"), "{error}");
        assert!(!path.exists());
    }
}
