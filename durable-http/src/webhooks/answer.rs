//! The five shapes of body that the webhooks answer with, and the answer to each failure of the client.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use durable_runtime::ClientError;
use serde::Serialize;

pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

const WRONG_ARGUMENT: &str = "One or more of the arguments submitted is incorrect";
const WENT_WRONG: &str = "Something went wrong while processing your request";
const BAD_JSON: &str = "Invalid JSON content";

/// What an exception of the reference is called; callers read these names.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Argument,
    InvalidOperation,
    BadJson,
    AlreadyExists,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Argument => "System.ArgumentException",
            Self::InvalidOperation => "System.InvalidOperationException",
            Self::BadJson => "Newtonsoft.Json.JsonReaderException",
            Self::AlreadyExists => {
                "DurableTask.Core.Exceptions.OrchestrationAlreadyExistsException"
            }
        }
    }
}

/// A status and nothing else.
pub(crate) fn empty(status: StatusCode) -> HttpResponse {
    HttpResponse::new(status)
}

/// A JSON value.
pub(crate) fn json<T: Serialize + ?Sized>(status: StatusCode, value: &T) -> HttpResponse {
    let mut body = Vec::with_capacity(512);
    match serde_json::to_writer(&mut body, value) {
        Ok(()) => written(status, body),
        Err(error) => {
            tracing::error!(%error, "an answer could not be serialised");
            empty(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

/// JSON that is already text.
pub(super) fn written(status: StatusCode, body: Vec<u8>) -> HttpResponse {
    let mut response = HttpResponse::with_body(status, actix_web::body::BoxBody::new(body));
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

/// `{"Message":..}`.
pub(super) fn message(status: StatusCode, text: &str) -> HttpResponse {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Body<'a> {
        message: &'a str,
    }
    json(status, &Body { message: text })
}

/// Message, exception and its type, as the reference writes an exception that nobody caught.
pub(super) fn exception(
    status: StatusCode,
    message: &str,
    exception: &str,
    kind: Kind,
) -> HttpResponse {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Body<'a> {
        message: &'a str,
        exception_message: &'a str,
        exception_type: &'static str,
        stack_trace: Option<&'static str>,
    }
    let body = Body {
        message,
        exception_message: exception,
        exception_type: kind.name(),
        stack_trace: None,
    };
    json(status, &body)
}

/// 400: an argument is wrong.
pub(super) fn bad_argument(text: &str) -> HttpResponse {
    exception(
        StatusCode::BAD_REQUEST,
        WRONG_ARGUMENT,
        text,
        Kind::Argument,
    )
}

/// 400: the body is not JSON.
pub(super) fn bad_json(text: &str) -> HttpResponse {
    exception(StatusCode::BAD_REQUEST, BAD_JSON, text, Kind::BadJson)
}

/// 500, with what went wrong.
pub(super) fn wrong(text: &str) -> HttpResponse {
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    exception(status, WENT_WRONG, text, Kind::InvalidOperation)
}

/// The answer to a failure that the operation has no answer of its own for.
pub(super) fn refused(error: &ClientError) -> HttpResponse {
    let text = error.to_string();
    match error {
        ClientError::NotFound(_) => empty(StatusCode::NOT_FOUND),
        ClientError::AlreadyExists(_) => {
            exception(StatusCode::CONFLICT, &text, &text, Kind::AlreadyExists)
        }
        ClientError::InvalidArgument(_) => bad_argument(&text),
        ClientError::UnknownFunction { name, known } => {
            bad_argument(&unknown_orchestrator(name, known))
        }
        ClientError::Unavailable(_) => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            exception(status, WENT_WRONG, &text, Kind::InvalidOperation)
        }
        _ => wrong(&text),
    }
}

/// The reference's text; callers show it as it is.
pub(super) fn unknown_orchestrator(name: &str, known: &[String]) -> String {
    let known: Vec<_> = known.iter().map(|name| format!("'{name}'")).collect();
    let known = if known.is_empty() {
        "No orchestrator functions are currently registered!".to_owned()
    } else {
        let known = known.join(", ");
        format!("The following are the known orchestrator functions: {known}.")
    };
    format!(
        "The function '{name}' doesn't exist, is disabled, or is not an orchestrator function. Additional info: {known}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::body::{MessageBody as _, to_bytes};

    async fn body(response: HttpResponse) -> String {
        let bytes = to_bytes(response.into_body()).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[actix_web::test]
    async fn an_empty_answer_has_neither_body_nor_type() {
        let response = empty(StatusCode::NOT_FOUND);
        assert!(response.headers().get(CONTENT_TYPE).is_none());
        assert_eq!(
            response.into_body().size(),
            actix_web::body::BodySize::Sized(0)
        );
    }

    #[actix_web::test]
    async fn members_are_written_in_the_known_order() {
        assert_eq!(
            body(message(StatusCode::BAD_REQUEST, "m")).await,
            r#"{"Message":"m"}"#
        );
        let unknown = ClientError::UnknownFunction {
            name: "Nope".into(),
            known: vec!["A".into(), "B".into()],
        };
        assert_eq!(
            body(refused(&unknown)).await,
            concat!(
                r#"{"Message":"One or more of the arguments submitted is incorrect","#,
                r#""ExceptionMessage":"The function 'Nope' doesn't exist, is disabled, or is not an "#,
                r#"orchestrator function. Additional info: The following are the known orchestrator "#,
                r#"functions: 'A', 'B'.","ExceptionType":"System.ArgumentException","StackTrace":null}"#
            )
        );
    }
}
