//! actix-web's extractors under the host's rules: its limits, JSON of any content type, and no silent `None` for what is malformed.

use actix_web::dev::Payload;
use actix_web::error::{JsonPayloadError, PayloadError, UrlencodedError};
use actix_web::http::StatusCode;
use actix_web::web::{FormConfig, JsonConfig, PayloadConfig, QueryConfig, ServiceConfig};
use actix_web::{
    Error, FromRequest, HttpMessage as _, HttpRequest, HttpResponse, error::InternalError,
};

use crate::body;

/// What an extractor inside an `Option` said before the `Option` swallowed it.
struct Malformed {
    status: StatusCode,
    text: String,
}

pub(super) async fn extract<T: FromRequest>(
    req: &HttpRequest,
    payload: &mut Payload,
) -> Result<T, HttpResponse> {
    let extracted = T::from_request(req, payload).await;
    let malformed = req.extensions_mut().remove::<Malformed>();
    match (extracted, malformed) {
        (Ok(_), Some(malformed)) if is_option::<T>() => {
            Err(answer(malformed.status, &malformed.text))
        }
        (Ok(value), _) => Ok(value),
        (Err(error), _) => {
            let error: Error = error.into();
            Err(body::stalled(&error).unwrap_or_else(|| HttpResponse::from_error(error)))
        }
    }
}

fn is_option<T>() -> bool {
    std::any::type_name::<T>().starts_with("core::option::Option<")
}

fn answer(status: StatusCode, text: &str) -> HttpResponse {
    let mut answer = HttpResponse::build(status);
    if status == StatusCode::REQUEST_TIMEOUT {
        // What comes after half a body is no request.
        answer.force_close();
    }
    answer
        .content_type("text/plain; charset=utf-8")
        .body(text.to_owned())
}

/// Remembers the fault for an `Option`, unless there simply is nothing to read.
fn fault(req: &HttpRequest, absent: bool, status: StatusCode, text: String) -> Error {
    if !absent {
        req.extensions_mut().insert(Malformed {
            status,
            text: text.clone(),
        });
    }
    InternalError::from_response(text.clone(), answer(status, &text)).into()
}

/// Whether the request says that it has no body.
fn has_no_body(req: &HttpRequest) -> bool {
    let header = |name: &str| req.headers().get(name);
    let length = header("content-length").and_then(|value| value.to_str().ok());
    length.map_or_else(
        || header("transfer-encoding").is_none(),
        |length| length.trim() == "0",
    )
}

fn json_fault(error: JsonPayloadError, req: &HttpRequest) -> Error {
    let empty = matches!(&error, JsonPayloadError::Deserialize(e) if e.is_eof() && e.line() <= 1 && e.column() == 0);
    let status = match &error {
        JsonPayloadError::OverflowKnownLength { .. }
        | JsonPayloadError::Overflow { .. }
        | JsonPayloadError::Payload(PayloadError::Overflow) => StatusCode::PAYLOAD_TOO_LARGE,
        JsonPayloadError::Payload(error) => body::status_of(error),
        _ => StatusCode::BAD_REQUEST,
    };
    let text = if empty {
        "the body is empty; expected JSON".to_owned()
    } else {
        format!("the body is not the expected JSON: {error}")
    };
    fault(req, empty || has_no_body(req), status, text)
}

fn form_fault(error: UrlencodedError, req: &HttpRequest) -> Error {
    let status = match &error {
        UrlencodedError::Overflow { .. } | UrlencodedError::Payload(PayloadError::Overflow) => {
            StatusCode::PAYLOAD_TOO_LARGE
        }
        UrlencodedError::Payload(error) => body::status_of(error),
        UrlencodedError::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        _ => StatusCode::BAD_REQUEST,
    };
    fault(
        req,
        has_no_body(req),
        status,
        format!("the body is not the expected form: {error}"),
    )
}

/// The host's rules for every extractor.
pub(crate) fn configure(cfg: &mut ServiceConfig, max_body: usize) {
    let json = JsonConfig::default()
        .limit(max_body)
        .content_type_required(false)
        .content_type(|_| true)
        .error_handler(json_fault);
    let query = QueryConfig::default().error_handler(|error, req| {
        fault(
            req,
            req.query_string().is_empty(),
            StatusCode::BAD_REQUEST,
            format!("the query is not the expected one: {error}"),
        )
    });
    cfg.app_data(json)
        .app_data(
            FormConfig::default()
                .limit(max_body)
                .error_handler(form_fault),
        )
        .app_data(query)
        .app_data(PayloadConfig::new(max_body));
}

#[cfg(test)]
mod tests {
    use actix_web::test::{TestRequest, call_service, init_service};
    use actix_web::web::{self, Bytes, Form, Json};
    use actix_web::{App, http::header::CONTENT_TYPE};

    use super::*;
    use crate::body::tests::half_sent;

    async fn extracts<T: FromRequest>(req: HttpRequest, payload: web::Payload) -> HttpResponse {
        match extract::<T>(&req, &mut payload.into_inner()).await {
            Ok(_) => HttpResponse::Ok().finish(),
            Err(answer) => answer,
        }
    }

    #[actix_web::test]
    async fn whatever_reads_a_body_that_stalls_answers_408() {
        let app = App::new()
            .configure(|cfg| configure(cfg, 100))
            .route("/bytes", web::post().to(extracts::<Bytes>))
            .route("/text", web::post().to(extracts::<String>))
            .route("/json", web::post().to(extracts::<Json<Vec<u8>>>))
            .route("/maybe", web::post().to(extracts::<Option<Json<Vec<u8>>>>))
            .route("/form", web::post().to(extracts::<Form<Vec<u8>>>));
        let app = init_service(app).await;
        for path in ["/bytes", "/text", "/json", "/maybe", "/form"] {
            let form = (CONTENT_TYPE, "application/x-www-form-urlencoded");
            let request = TestRequest::post().uri(path);
            let request = request
                .insert_header(form)
                .insert_header(("transfer-encoding", "chunked"));
            let (request, _) = request.to_request().replace_payload(half_sent());
            let answer = call_service(&app, request).await;
            assert_eq!(answer.status(), StatusCode::REQUEST_TIMEOUT, "{path}");
            assert!(!answer.response().head().keep_alive(), "{path}");
        }
    }
}
