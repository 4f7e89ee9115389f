//! What actix-web needs of types of this crate and the orphan rule allows nowhere else (feature `actix-web`).

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError, web};

use crate::client::ClientError;
use crate::error::Error;
use crate::state::{State, States};

impl ResponseError for ClientError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::AlreadyExists(_) | Self::InvalidState { .. } => StatusCode::CONFLICT,
            Self::InvalidArgument(_) | Self::UnknownFunction { .. } => StatusCode::BAD_REQUEST,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Timeout | Self::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(error = %self, "the function failed");
            return HttpResponse::new(status);
        }
        HttpResponse::build(status)
            .content_type("text/plain; charset=utf-8")
            .body(self.to_string())
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        let client = self.downcast_ref::<ClientError>();
        client.map_or(
            StatusCode::INTERNAL_SERVER_ERROR,
            ResponseError::status_code,
        )
    }

    /// What went wrong is for the log; callers read only what a client's error says (host.md 1.7 of the reference).
    fn error_response(&self) -> HttpResponse {
        match self.downcast_ref::<ClientError>() {
            Some(error) => error.error_response(),
            None => {
                tracing::error!(error = %self, kind = self.to_failure().error_type, "the function failed");
                HttpResponse::new(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }
}

impl<S: Send + Sync + 'static> FromRequest for State<S> {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let state = req
            .app_data::<web::Data<States>>()
            .and_then(|states| states.get::<S>());
        let missing = || {
            Error::msg(crate::function::missing_state(
                req.path(),
                std::any::type_name::<S>(),
            ))
        };
        ready(state.ok_or_else(missing))
    }
}
