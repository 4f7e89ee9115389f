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
    /// Opens what was encrypted before the key was changed.
    older: Vec<Aes256Gcm>,
}

/// A value as it was before it was encrypted.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) value: Secret,
    /// An older key opened it: it is to be encrypted anew.
    pub(super) stale: bool,
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
                older: Vec::new(),
            });
        };
        let key = from_hex(text).map_err(KeysError::Setting)?;
        // A hub that began with a key file goes over to the setting.
        let by_file = key_file::read(&key_file).ok();
        Ok(Self {
            cipher: OnceLock::from(Aes256Gcm::new(&key.into())),
            source: Source::Setting,
            older: by_file
                .iter()
                .map(|key| Aes256Gcm::new(&(*key).into()))
                .collect(),
        })
    }

    /// Opens also what was encrypted with these keys, of 64 hexadecimal digits each, before the present one came.
    ///
    /// # Errors
    /// A key that is not 64 hexadecimal digits.
    pub fn with_older<'a>(
        mut self,
        keys: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, KeysError> {
        for text in keys {
            let key = from_hex(text.trim()).map_err(KeysError::Setting)?;
            self.older.push(Aes256Gcm::new(&key.into()));
        }
        Ok(self)
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
    pub(super) fn open(&self, scope: &str, name: &str, sealed: &str) -> Result<Opened, KeysError> {
        let present = self.cipher(key_file::read);
        let ciphers = present.iter().copied().chain(&self.older);
        let bytes = sealed
            .strip_prefix(VERSION)
            .and_then(|text| STANDARD.decode(text).ok())
            .unwrap_or_default();
        let aad = bound_to(scope, name);
        for (index, cipher) in ciphers.enumerate() {
            if let Some(value) = decrypted(cipher, &bytes, &aad) {
                let stale = index > 0 || present.is_err();
                return Ok(Opened { value, stale });
            }
        }
        present?;
        Err(KeysError::Undecryptable {
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

fn decrypted(cipher: &Aes256Gcm, bytes: &[u8], aad: &[u8]) -> Option<Secret> {
    let (nonce, msg) = bytes.split_first_chunk::<NONCE>()?;
    let value = cipher.decrypt(&(*nonce).into(), Payload { msg, aad });
    String::from_utf8(value.ok()?).ok().map(Secret::from)
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
        assert_eq!((opened.value.expose(), opened.stale), ("fk-a", false));
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
    fn what_an_older_key_or_the_key_file_encrypted_is_opened_as_stale() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hub.key");
        let value = Secret::from("x");
        let by_file = Cipher::new(None, path.clone()).unwrap();
        let by_file = by_file.seal("host", "default", &value).unwrap();
        let by_older = cipher(HEX).seal("host", "default", &value).unwrap();
        let present = Cipher::new(Some(&"f".repeat(64)), path.clone()).unwrap();
        let present = present.with_older([HEX]).unwrap();
        for sealed in [&by_file, &by_older] {
            let opened = present.open("host", "default", sealed).unwrap();
            assert_eq!((opened.value.expose(), opened.stale), ("x", true));
        }
        let again = present.seal("host", "default", &value).unwrap();
        assert!(!present.open("host", "default", &again).unwrap().stale);
        // A key file that is gone, with the key that came before it.
        let gone = Cipher::new(None, folder.path().join("gone.key")).unwrap();
        let gone = gone.with_older([HEX]).unwrap();
        assert!(gone.open("host", "default", &by_older).unwrap().stale);
        assert!(gone.open("host", "default", &by_file).is_err());
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
            cipher()
                .open("host", "default", &sealed)
                .unwrap()
                .value
                .expose(),
            "x"
        );
        std::fs::remove_file(&path).unwrap();
        let error = cipher().open("host", "default", &sealed).unwrap_err();
        assert!(error.to_string().contains("hub.key"), "{error}");
        assert!(!path.exists());
        // Nobody can tell whether a file or a setting held the key.
        let by_setting = Cipher::new(Some(HEX), path.clone()).unwrap();
        let sealed = by_setting.seal("host", "default", &Secret::from("x"));
        let error = cipher().open("host", "default", &sealed.unwrap());
        let said = error.unwrap_err().to_string();
        assert!(
            said.contains("hub.key") && said.contains("`AzureWebEncryptionKey`"),
            "{said}"
        );
    }
}
