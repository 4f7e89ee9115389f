//! The body of an answer: read up to its limit, kept as text if it is any.

use durable_runtime::durable_http::HttpFailure;
use durable_runtime::{DurableHttpResponse, FailureDetails};
use encoding_rs::{Encoding, UTF_8};
use reqwest::Response;
use reqwest::header::CONTENT_TYPE;

use super::{classify, headers};

/// An answer that nobody reads is read all the same up to here, so that its connection can be used again.
const DRAINED: u64 = 16 << 10;

/// Reads the answer. `secret` is not kept, should the server have sent it back.
///
/// # Errors
/// A body that is too large or does not end.
pub(super) async fn read(
    mut response: Response,
    limit: usize,
    secret: Option<&str>,
) -> Result<DurableHttpResponse, FailureDetails> {
    let url = response.url().clone();
    let length = response.content_length().unwrap_or(0);
    if usize::try_from(length).map_or(true, |length| length > limit) {
        return Err(too_large(limit));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0).min(1 << 20));
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| classify::failure(&error, &url))?
    {
        if bytes.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        bytes.extend_from_slice(&chunk);
    }
    let mut kept = headers::incoming(response.headers());
    if let Some(secret) = secret.filter(|secret| !secret.is_empty()) {
        blot(&mut bytes, secret.as_bytes());
        kept = kept
            .iter()
            .map(|(name, value)| (name, value.replace(secret, "***")))
            .collect();
    }
    let mut answer = DurableHttpResponse::new(response.status().as_u16());
    answer.headers = kept;
    let charset = response.headers().get(CONTENT_TYPE).map(headers::text);
    Ok(match decode(&bytes, charset.as_deref()) {
        Some(text) => answer.with_text(text),
        None => answer.with_bytes(bytes),
    })
}

fn too_large(limit: usize) -> FailureDetails {
    HttpFailure::TooLarge.details(format!(
        "the answer is larger than {limit} bytes, the setting `httpSettings.maxResponseBytes`"
    ))
}

/// Lets go of an answer that is not looked at.
pub(super) async fn drain(mut response: Response) {
    let mut left = DRAINED;
    if response
        .content_length()
        .is_some_and(|length| length > left)
    {
        return;
    }
    while let Ok(Some(chunk)) = response.chunk().await {
        let Some(rest) = left.checked_sub(chunk.len() as u64) else {
            return;
        };
        left = rest;
    }
}

/// The text, if all bytes are text in the charset that the type names; UTF-8 if it names none.
fn decode(bytes: &[u8], content_type: Option<&str>) -> Option<String> {
    let encoding = content_type.and_then(charset).unwrap_or(UTF_8);
    let (text, _, misfits) = encoding.decode(bytes);
    (!misfits).then(|| text.into_owned())
}

fn charset(content_type: &str) -> Option<&'static Encoding> {
    let parameters = content_type.split(';').skip(1);
    let charset = parameters
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    charset.and_then(|(_, label)| Encoding::for_label(label.trim().trim_matches('"').as_bytes()))
}

/// Writes over what must not be kept.
fn blot(bytes: &mut [u8], secret: &[u8]) {
    let mut at = 0;
    while let Some(rest) = bytes
        .get_mut(at..)
        .filter(|rest| rest.len() >= secret.len())
    {
        let Some(start) = rest.iter().position(|byte| Some(byte) == secret.first()) else {
            return;
        };
        if rest[start..].starts_with(secret) {
            rest[start..start + secret.len()].fill(b'*');
        }
        at += start + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_text_in_its_charset_and_anything_else_is_not() {
        for (bytes, content_type, text) in [
            (&b"plain"[..], None, Some("plain")),
            ("é".as_bytes(), Some("application/json"), Some("é")),
            (b"\xe9", Some("text/plain; charset=ISO-8859-1"), Some("é")),
            (
                b"\xe9\x00",
                Some("text/plain; Charset=\"utf-16le\""),
                Some("é"),
            ),
            (b"\xef\xbb\xbfbom", None, Some("bom")),
            (b"\xff\xfe\xfd\xfc\xfb", Some("text/plain"), None),
            (b"\x89PNG\r\n\x1a\n\x00\x00\xff", Some("image/png"), None),
            (b"", None, Some("")),
        ] {
            assert_eq!(
                decode(bytes, content_type).as_deref(),
                text,
                "{content_type:?}"
            );
        }
    }

    #[test]
    fn blot_covers_every_occurrence() {
        for (text, blotted) in [
            ("", ""),
            ("abc", "***"),
            ("ababc", "ab***"),
            ("xabcabcy abc", "x******y ***"),
            ("ab", "ab"),
        ] {
            let mut bytes = text.as_bytes().to_vec();
            blot(&mut bytes, b"abc");
            assert_eq!(bytes, blotted.as_bytes(), "{text}");
        }
    }
}
