//! [`Payload`]: a JSON value kept as text.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

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

    /// Serialises `value`.
    ///
    /// # Errors
    /// What the value's `Serialize` reports, and maps whose keys are not strings.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        let raw = serde_json::value::to_raw_value(value)?;
        Ok(Self(Arc::from(raw)))
    }

    /// Holds its length against a limit, in bytes of JSON text.
    ///
    /// # Errors
    /// A longer one.
    pub fn check(&self, limit: usize) -> Result<(), TooLarge> {
        let found = self.as_str().len();
        if found > limit {
            return Err(TooLarge { found, limit });
        }
        Ok(())
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

/// A value over its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected at most {limit} bytes of JSON (setting `extensions.durableTask.limits.payloadBytes`), found {found}; \
     keep large data elsewhere and hand over where it is"
)]
pub struct TooLarge {
    /// Its length in bytes of JSON text.
    pub found: usize,
    /// What there may be.
    pub limit: usize,
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
        let payload = Payload::text("12345678");
        assert_eq!(payload.check(10), Ok(()));
        let error = payload.check(9).unwrap_err().to_string();
        assert!(error.contains("at most 9 bytes of JSON"), "{error}");
        assert!(
            error.contains("found 10; keep large data elsewhere"),
            "{error}"
        );
    }
}
