//! [`HttpHeaders`]: names without case, each with any number of values.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::redact::is_secret_header;

/// HTTP headers in the order in which they were added. Names are compared without case; a name may have several values.
///
/// As JSON an object: `{"x-a": "1", "x-b": ["1", "2"]}`. `Debug` hides the values of headers that carry credentials.
///
/// ```
/// use durable_runtime::HttpHeaders;
///
/// let headers: HttpHeaders = serde_json::from_str(r#"{"Retry-After": "5", "x-b": ["1", "2"]}"#)?;
/// assert_eq!(headers.get("retry-after"), Some("5"));
/// assert_eq!(headers.get_all("X-B").collect::<Vec<_>>(), ["1", "2"]);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct HttpHeaders(Vec<(String, String)>);

impl HttpHeaders {
    /// No headers.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a value; those that the name has already stay.
    pub fn append(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// Removes all values of a name.
    pub fn remove(&mut self, name: &str) {
        self.0
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    }

    /// Keeps the headers whose name and value fit.
    pub fn retain(&mut self, mut fits: impl FnMut(&str, &str) -> bool) {
        self.0.retain(|(name, value)| fits(name, value));
    }

    /// The first value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut all = self.iter();
        all.find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// All values of a name, in order.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// All names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for HttpHeaders {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(headers: I) -> Self {
        let pairs = headers.into_iter();
        Self(
            pairs
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}

impl fmt::Debug for HttpHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.iter().map(|(name, value)| {
            let hidden = is_secret_header(name);
            (name, if hidden { "***" } else { value })
        });
        f.debug_map().entries(shown).finish()
    }
}

impl Serialize for HttpHeaders {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut grouped: Vec<(&str, Vec<&str>)> = Vec::new();
        for (name, value) in self.iter() {
            let known = grouped
                .iter_mut()
                .find(|(known, _)| known.eq_ignore_ascii_case(name));
            match known {
                Some((_, values)) => values.push(value),
                None => grouped.push((name, vec![value])),
            }
        }
        let mut map = serializer.serialize_map(Some(grouped.len()))?;
        for (name, values) in grouped {
            match values[..] {
                [value] => map.serialize_entry(name, value)?,
                _ => map.serialize_entry(name, &values)?,
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for HttpHeaders {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeadersVisitor)
    }
}

struct HeadersVisitor;

/// One value, or any number of them.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a header's value is a text or an array of texts"
)]
enum Values {
    One(String),
    Many(Vec<String>),
}

impl<'de> Visitor<'de> for HeadersVisitor {
    type Value = HttpHeaders;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of headers, each a text or an array of texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<HttpHeaders, A::Error> {
        let mut headers = HttpHeaders::new();
        while let Some((name, values)) = map.next_entry::<String, Values>()? {
            match values {
                Values::One(value) => headers.append(name, value),
                Values::Many(values) => values
                    .into_iter()
                    .for_each(|value| headers.append(name.clone(), value)),
            }
        }
        Ok(headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_texts_or_arrays_on_the_wire() {
        for (wire, pairs) in [
            ("{}", vec![]),
            (r#"{"x-a":"1"}"#, vec![("x-a", "1")]),
            (
                r#"{"x-b":["1","2"],"x-a":""}"#,
                vec![("x-b", "1"), ("x-b", "2"), ("x-a", "")],
            ),
        ] {
            let headers: HttpHeaders = serde_json::from_str(wire).unwrap();
            assert_eq!(headers.iter().collect::<Vec<_>>(), pairs);
            assert_eq!(serde_json::to_string(&headers).unwrap(), wire);
        }
        let empty: HttpHeaders = serde_json::from_str(r#"{"x": []}"#).unwrap();
        assert!(empty.is_empty());
        let wrong = serde_json::from_str::<HttpHeaders>(r#"{"x": 1}"#).unwrap_err();
        assert!(
            wrong.to_string().contains("a text or an array of texts"),
            "{wrong}"
        );
    }

    #[test]
    fn names_have_no_case() {
        let headers: HttpHeaders = [("X-A", "1"), ("x-a", "2")].into_iter().collect();
        assert_eq!(headers.get_all("x-A").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(
            serde_json::to_string(&headers).unwrap(),
            r#"{"X-A":["1","2"]}"#
        );
        let mut none = headers.clone();
        none.remove("X-a");
        assert!(none.is_empty());
    }

    #[test]
    fn debug_hides_credentials() {
        let headers: HttpHeaders = [("Authorization", "Bearer s3cret"), ("x", "y")]
            .into_iter()
            .collect();
        assert_eq!(
            format!("{headers:?}"),
            r#"{"Authorization": "***", "x": "y"}"#
        );
    }
}
