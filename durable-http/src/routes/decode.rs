//! Percent-decoding of a request path.

use std::borrow::Cow;

/// Decodes `text`; `%2F` stays as it is, and so does whatever is no UTF-8.
pub(super) fn decode(text: &str) -> Cow<'_, str> {
    if !text.as_bytes().contains(&b'%') {
        return Cow::Borrowed(text);
    }
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        let (plain, encoded) = rest.split_at(at);
        decoded.push_str(plain);
        let bytes = run(encoded);
        if bytes.is_empty() {
            decoded.push('%');
            rest = encoded.get(1..).unwrap_or_default();
        } else {
            let (run, after) = encoded.split_at(bytes.len() * 3);
            push(&mut decoded, &bytes, run);
            rest = after;
        }
    }
    decoded.push_str(rest);
    Cow::Owned(decoded)
}

/// The bytes of the escapes that `text` starts with, up to the first that must stay.
fn run(text: &str) -> Vec<u8> {
    let escapes = text.as_bytes().chunks_exact(3);
    escapes.map_while(byte).collect()
}

fn byte(escape: &[u8]) -> Option<u8> {
    let [b'%', high, low] = escape else {
        return None;
    };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let value = u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?;
    (value != b'/').then_some(value)
}

/// Pushes what of `bytes` is UTF-8, and the escapes of the rest as they were written in `run`.
fn push(decoded: &mut String, bytes: &[u8], run: &str) {
    let mut at = 0;
    for chunk in bytes.utf8_chunks() {
        decoded.push_str(chunk.valid());
        at += chunk.valid().len();
        let end = at + chunk.invalid().len();
        decoded.push_str(run.get(at * 3..end * 3).unwrap_or_default());
        at = end;
    }
}
