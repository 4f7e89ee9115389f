//! [`Payload`]: a JSON value kept as text.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// The longest text that a value may become, in bytes.
const LIMIT: usize = 64 * 1024 * 1024;

/// One JSON value as text: serialised once, then only moved and written. Cheap to clone.
///
/// ```
/// use durable_runtime::model::Payload;
///
/// let payload = Payload::of(&vec![1, 2])?;
/// assert_eq!(payload.as_str(), "[1,2]");
/// assert_eq!(payload.read::<Vec<i32>>()?, [1, 2]);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone)]
pub struct Payload(Arc<RawValue>);

impl Payload {
    /// The JSON `null`.
    #[must_use]
    pub fn null() -> Self {
        Self(Arc::from(RawValue::NULL.to_owned()))
    }

    /// Serialises `value`, which may be 64 MiB of JSON at most: all that functions and clients hand over passes here.
    ///
    /// # Errors
    /// What the value's `Serialize` reports, maps whose keys are not strings, and a value over the limit.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        let raw = serde_json::value::to_raw_value(value)?;
        if raw.get().len() > LIMIT {
            return Err(too_long(raw.get().len()));
        }
        Ok(Self(Arc::from(raw)))
    }

    /// Takes text that must be exactly one JSON value; blanks around it are cut.
    ///
    /// # Errors
    /// Text that is not one JSON value.
    pub fn parse(text: impl Into<String>) -> Result<Self, serde_json::Error> {
        let text = text.into();
        let trimmed = text.trim_matches([' ', '\n', '\r', '\t']);
        let text = if trimmed.len() == text.len() {
            text
        } else {
            trimmed.to_owned()
        };
        RawValue::from_string(text).map(|raw| Self(Arc::from(raw)))
    }

    /// A JSON string holding `text`.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::of(text).unwrap_or_else(|_| Self::null())
    }

    /// The JSON text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// Whether this is the JSON `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.as_str() == "null"
    }

    /// Deserialises the value.
    ///
    /// # Errors
    /// A value of another shape than `T`.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.as_str())
    }

    /// The value as a tree; a number that no `f64` can hold becomes a string of its digits.
    #[must_use]
    pub fn to_value(&self) -> serde_json::Value {
        self.read()
            .unwrap_or_else(|_| serde_json::Value::String(self.as_str().to_owned()))
    }
}

#[cold]
fn too_long(found: usize) -> serde_json::Error {
    serde::ser::Error::custom(format!(
        "expected at most {LIMIT} bytes of JSON, found {found}; keep large data elsewhere and hand over where it is"
    ))
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Payload {}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|raw| Self(Arc::from(raw)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_has_its_limit_to_the_byte() {
        // Of parts, which are copied, for speed; beside them 63 commas and two brackets.
        let part = |len: usize| Payload::text(&"x".repeat(len - 2));
        let mut parts = vec![part(1 << 20); 63];
        parts.push(part((1 << 20) - 65));
        assert_eq!(Payload::of(&parts).unwrap().as_str().len(), LIMIT);
        parts[63] = part((1 << 20) - 64);
        let error = Payload::of(&parts).unwrap_err().to_string();
        assert!(
            error.contains("at most 67108864 bytes of JSON, found 67108865"),
            "{error}"
        );
    }
}
