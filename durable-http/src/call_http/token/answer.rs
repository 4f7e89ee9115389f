//! What identity endpoints answer.

use chrono::{DateTime, Duration, Utc};
use durable_runtime::AccessToken;
use serde::Deserialize;
use serde_json::Value;

/// A token as every endpoint says it, each with its own way to tell the end.
#[derive(Deserialize)]
struct Granted {
    #[serde(alias = "accessToken")]
    access_token: String,
    /// Seconds since 1970, as a number or a text.
    expires_on: Option<Value>,
    /// Seconds from now, as a number or a text.
    expires_in: Option<Value>,
}

/// What an endpoint says when it gives none.
#[derive(Deserialize)]
struct Refused {
    error: Option<String>,
    #[serde(alias = "message")]
    error_description: Option<String>,
}

/// The token in a body.
///
/// # Errors
/// A body that holds none; it is not shown, for it might all the same.
pub(super) fn granted(body: &[u8], now: DateTime<Utc>) -> Result<AccessToken, String> {
    let granted: Granted = serde_json::from_slice(body)
        .map_err(|_| "the answer is no JSON object with an `access_token`".to_owned())?;
    let at = seconds(granted.expires_on.as_ref()).and_then(|at| DateTime::from_timestamp(at, 0));
    let after = || {
        let span = seconds(granted.expires_in.as_ref()).and_then(Duration::try_seconds)?;
        now.checked_add_signed(span)
    };
    let expires_on = at
        .or_else(after)
        .ok_or("the answer has neither `expires_on` nor `expires_in` in seconds")?;
    Ok(AccessToken {
        token: granted.access_token,
        expires_on,
    })
}

fn seconds(value: Option<&Value>) -> Option<i64> {
    match value? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Why there is none, as far as the body says so.
pub(super) fn refused(status: u16, body: &[u8]) -> String {
    let said: Option<Refused> = serde_json::from_slice(body).ok();
    let said = said.map(|said| {
        let parts = [said.error, said.error_description];
        parts.into_iter().flatten().collect::<Vec<_>>().join(": ")
    });
    let said: String = said.unwrap_or_default().chars().take(500).collect();
    format!("the identity endpoint answered {status} {said}")
        .trim_end()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_that_endpoints_tell() {
        let now = DateTime::from_timestamp(1_000_000, 0).unwrap();
        for (body, end) in [
            (
                r#"{"access_token":"t","expires_on":"1003600","resource":"r","token_type":"Bearer"}"#,
                1_003_600,
            ),
            (r#"{"access_token":"t","expires_on":1003600}"#, 1_003_600),
            (
                r#"{"access_token":"t","expires_in":"60","expires_on":"soon"}"#,
                1_000_060,
            ),
            (
                r#"{"access_token":"t","expires_in":3599,"token_type":"Bearer"}"#,
                1_003_599,
            ),
            (
                r#"{"accessToken":"t","expiresOn":"2026-01-01 00:00:00.000000","expires_on":1003600}"#,
                1_003_600,
            ),
        ] {
            let token = granted(body.as_bytes(), now).unwrap();
            assert_eq!(
                (token.token.as_str(), token.expires_on.timestamp()),
                ("t", end),
                "{body}"
            );
        }
        for body in [
            "",
            "<html>",
            r#"{"token":"s3cret"}"#,
            r#"{"access_token":"s3cret"}"#,
        ] {
            let error = granted(body.as_bytes(), now).unwrap_err();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn refusals_are_told() {
        for (body, text) in [
            (
                r#"{"error":"invalid_request","error_description":"Identity not found"}"#,
                "answered 400 invalid_request: Identity not found",
            ),
            (
                r#"{"statusCode":400,"message":"No MSI found"}"#,
                "answered 400 No MSI found",
            ),
            ("<html>", "the identity endpoint answered 400"),
        ] {
            let told = refused(400, body.as_bytes());
            assert!(told.ends_with(text), "{told}");
        }
    }
}
