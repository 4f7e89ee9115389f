//! `github`: the body is signed with the key, by SHA-1 or SHA-256; the event is in a header.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;

use super::event::Received;
use super::secret::Ask;
use super::{Judged, json_of, refuse};

const SHA1: &str = "x-hub-signature";
const SHA256: &str = "x-hub-signature-256";

pub(super) fn judge(ask: &Ask<'_>) -> Judged {
    check_signature(ask)?;
    let data = json_of(ask)?;
    let event = ask.req.headers().get("x-github-event");
    match event.and_then(|event| event.to_str().ok()) {
        None | Some("") => {
            let text = "The WebHook request must contain an 'X-Github-Event' HTTP header.";
            Err(refuse(StatusCode::BAD_REQUEST, text))
        }
        Some(ping) if ping.eq_ignore_ascii_case("ping") => Err(HttpResponse::new(StatusCode::OK)),
        Some(event) => Ok(Received::of(event.to_owned(), ask, data)),
    }
}

/// The better of the two signatures counts, if both are there.
fn check_signature(ask: &Ask<'_>) -> Result<(), HttpResponse> {
    let secret = ask.secret.expose().as_bytes();
    let signed = if ask.req.headers().contains_key(SHA256) {
        signature(ask, SHA256, "sha256")
            .map(|signature| is_signed::<Hmac<Sha256>>(secret, ask.body, &signature))?
    } else {
        signature(ask, SHA1, "sha1")
            .map(|signature| is_signed::<Hmac<Sha1>>(secret, ask.body, &signature))?
    };
    if signed {
        return Ok(());
    }
    let text =
        "The WebHook signature provided in the HTTP request did not match the expected value.";
    Err(refuse(StatusCode::BAD_REQUEST, text))
}

/// The signature's bytes, from the one header `name: algorithm=hex`.
fn signature(ask: &Ask<'_>, name: &str, algorithm: &str) -> Result<Vec<u8>, HttpResponse> {
    let mut values = ask.req.headers().get_all(name);
    let only = match (values.next(), values.next()) {
        (Some(only), None) => only.to_str().ok(),
        _ => None,
    };
    let hex = only.and_then(|value| {
        let (found, hex) = value.split_once('=')?;
        found
            .trim()
            .eq_ignore_ascii_case(algorithm)
            .then_some(hex.trim())
    });
    hex.and_then(bytes_of).ok_or_else(|| {
        let text = format!(
            "Expecting exactly one '{name}' header of the form '{algorithm}=<hexadecimal>'."
        );
        refuse(StatusCode::BAD_REQUEST, &text)
    })
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    let pairs = hex.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? * 16 + digit(*low)?),
            _ => None,
        })
        .collect()
}

/// Compares in a time that says nothing of the signature.
fn is_signed<M: Mac + KeyInit>(secret: &[u8], body: &[u8], signature: &[u8]) -> bool {
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(secret) else {
        return false;
    };
    mac.update(body);
    mac.verify_slice(signature).is_ok()
}
