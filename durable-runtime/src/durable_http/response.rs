//! [`DurableHttpResponse`]: what came back.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::HttpHeaders;
use crate::error::{Error, Result};

/// The answer to a `ctx.call_http(..)`, of any status.
///
/// ```
/// use durable_runtime::DurableHttpResponse;
///
/// let response = DurableHttpResponse::new(200).with_header("Retry-After", "5").with_json(&vec![1, 2])?;
/// assert_eq!(response.header("retry-after"), Some("5"));
/// assert_eq!(response.json::<Vec<i32>>()?, [1, 2]);
/// # Ok::<(), durable_runtime::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DurableHttpResponse {
    /// The status code.
    #[serde(rename = "statusCode")]
    pub status: u16,
    /// All headers, those of the body included.
    #[serde(default, deserialize_with = "null_is_default")]
    pub headers: HttpHeaders,
    /// The body as text; of a body that is no text, its base64 (see [`DurableHttpResponse::bytes`]).
    #[serde(default, deserialize_with = "null_is_default")]
    pub content: String,
    #[serde(
        rename = "contentEncoding",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    content_encoding: Option<ContentEncoding>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ContentEncoding {
    Base64,
}

fn null_is_default<'de, D: serde::Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> std::result::Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

impl DurableHttpResponse {
    /// An answer without headers and body.
    #[must_use]
    pub const fn new(status: u16) -> Self {
        Self {
            status,
            headers: HttpHeaders::new(),
            content: String::new(),
            content_encoding: None,
        }
    }

    /// Adds a header; the same name twice gives two values.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.append(name, value);
        self
    }

    /// The body, as `application/json` unless there is a `Content-Type` already.
    ///
    /// # Errors
    /// A value that cannot be serialised.
    pub fn with_json(mut self, body: &(impl Serialize + ?Sized)) -> Result<Self> {
        self.content = serde_json::to_string(body)?;
        self.content_encoding = None;
        if self.headers.get("content-type").is_none() {
            self.headers.append("Content-Type", "application/json");
        }
        Ok(self)
    }

    /// The body.
    #[must_use]
    pub fn with_text(mut self, body: impl Into<String>) -> Self {
        self.content = body.into();
        self.content_encoding = None;
        self
    }

    /// A body that is no text: kept as base64, and marked so.
    #[must_use]
    pub fn with_bytes(mut self, body: impl AsRef<[u8]>) -> Self {
        self.content = STANDARD.encode(body);
        self.content_encoding = Some(ContentEncoding::Base64);
        self
    }

    /// The first value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// A body that is no JSON, or JSON of another shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.content).map_err(|e| {
            let text = format!(
                "the body of the answer ({}) does not fit `{}`: {e}",
                self.status,
                crate::type_name::type_name::<T>()
            );
            Error::msg(text).with_type("DeserializationError")
        })
    }

    /// Whether the body is no text, so that `content` is its base64.
    #[must_use]
    pub fn is_binary(&self) -> bool {
        self.content_encoding.is_some()
    }

    /// The bytes of the body.
    ///
    /// # Errors
    /// A binary body whose `content` is not base64 any more.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        match self.content_encoding {
            Some(ContentEncoding::Base64) => Ok(STANDARD.decode(&self.content)?),
            None => Ok(self.content.clone().into_bytes()),
        }
    }
}

impl fmt::Debug for DurableHttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DurableHttpResponse")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("content", &self.content)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wire_form_is_the_references() {
        let text = DurableHttpResponse::new(200)
            .with_header("Retry-After", "5")
            .with_text("x");
        let wire = r#"{"statusCode":200,"headers":{"Retry-After":"5"},"content":"x"}"#;
        assert_eq!(serde_json::to_string(&text).unwrap(), wire);
        assert_eq!(
            serde_json::from_str::<DurableHttpResponse>(wire).unwrap(),
            text
        );
        let least: DurableHttpResponse =
            serde_json::from_str(r#"{"statusCode":204,"headers":null,"content":null}"#).unwrap();
        assert_eq!(least, DurableHttpResponse::new(204));
    }

    #[test]
    fn bytes_survive_as_marked_base64() {
        let response = DurableHttpResponse::new(200).with_bytes([0xff, 0, 0x80]);
        let wire = serde_json::to_string(&response).unwrap();
        assert!(
            wire.contains(r#""content":"/wCA","contentEncoding":"base64""#),
            "{wire}"
        );
        let read: DurableHttpResponse = serde_json::from_str(&wire).unwrap();
        assert!(read.is_binary());
        assert_eq!(read.bytes().unwrap(), [0xff, 0, 0x80]);
        assert_eq!(read.with_text("é").bytes().unwrap(), "é".as_bytes());
    }

    #[test]
    fn misfit_json_says_what_was_expected() {
        let error = DurableHttpResponse::new(500)
            .with_text("<html>")
            .json::<Vec<u8>>()
            .unwrap_err();
        assert!(
            error.to_string().contains("500") && error.to_string().contains("Vec<u8>"),
            "{error}"
        );
    }
}
