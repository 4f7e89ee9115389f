//! `slack`: a form, in which the key is the token.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::event::Received;
use super::secret::{Ask, is_same};
use super::{Judged, media_type, refuse};

pub(super) const FORM: &str = "application/x-www-form-urlencoded";

pub(super) fn judge(ask: &Ask<'_>) -> Judged {
    let bad = |text: &str| Err(refuse(StatusCode::BAD_REQUEST, text));
    if media_type(ask.req.headers()) != FORM {
        let text = "The WebHook request must contain an entity body formatted as HTML Form Data.";
        return Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, text));
    }
    let mut fields = fields(ask.body)?;
    // The key has done its work: it is not handed on.
    let Some(Value::String(token)) = fields.remove("token") else {
        return bad("The WebHook request must contain a 'token' form field.");
    };
    if !is_same(&token, ask.secret) {
        return bad(
            "The 'token' parameter provided in the HTTP request did not match the expected value.",
        );
    }
    let Some((event, subtext)) = event(&fields) else {
        return bad(
            "The WebHook request must contain a 'trigger_word', 'command' or 'text' form field.",
        );
    };
    let data = Bytes::from(Value::Object(fields).to_string());
    Ok(Received {
        subtext,
        ..Received::of(event, ask, data)
    })
}

/// The fields; those that are given several times are joined by commas.
pub(super) fn fields(body: &[u8]) -> Result<Map<String, Value>, HttpResponse> {
    if std::str::from_utf8(body).is_err() {
        return Err(refuse(StatusCode::BAD_REQUEST, "The form is not UTF-8."));
    }
    let mut fields = Map::new();
    for (name, value) in form_urlencoded::parse(body) {
        match fields.get_mut(&*name) {
            Some(Value::String(known)) => {
                known.push(',');
                known.push_str(&value);
            }
            _ => drop(fields.insert(name.into_owned(), value.into_owned().into())),
        }
    }
    Ok(fields)
}

/// The word that triggered it and what follows; else the command; else the text itself.
pub(super) fn event(fields: &Map<String, Value>) -> Option<(String, Option<String>)> {
    let field = |name: &str| {
        let text = fields.get(name).and_then(Value::as_str);
        text.filter(|text| !text.is_empty())
    };
    let text = field("text");
    if let Some(word) = field("trigger_word") {
        let text = text.unwrap_or_default();
        let rest = text.strip_prefix(word).unwrap_or(text);
        return Some((word.to_owned(), Some(rest.trim().to_owned())));
    }
    let event = field("command").or(text)?;
    Some((event.to_owned(), text.map(str::to_owned)))
}
