//! One call of an HTTP function: its parameters are bound from the request, its output becomes the response.

mod extract;
mod schema;

use std::fmt;
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest, HttpResponse, Responder, ResponseError as _, web,
};
use durable_runtime::DurableClient;
use durable_runtime::registry::StateSpec;
use futures::future::LocalBoxFuture;

use crate::host::Shared;
use crate::keys::Grant;
use crate::trace::traced;

pub(crate) use extract::configure;
pub use schema::{BodyProbe, BodySpec, NoSchema};

/// Who may call a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthLevel {
    /// Anybody.
    Anonymous,
    /// A key of the function, a host key, or the master key.
    Function,
    /// The master key.
    Admin,
}

impl AuthLevel {
    /// The word for it in attributes and lists.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Function => "function",
            Self::Admin => "admin",
        }
    }
}

/// The receivers of 1.x webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Webhook {
    /// `genericJson`.
    GenericJson,
    /// `github`.
    GitHub,
    /// `slack`.
    Slack,
}

impl Webhook {
    /// The word for it in attributes and lists.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::GenericJson => "genericJson",
            Self::GitHub => "github",
            Self::Slack => "slack",
        }
    }
}

/// One HTTP function, as its attribute submits it.
pub struct HttpRegistration {
    /// Its name.
    pub name: &'static str,
    /// `module_path!()`.
    pub module: &'static str,
    /// `file!()`.
    pub file: &'static str,
    /// `line!()`.
    pub line: u32,
    /// Who may call it.
    pub auth: AuthLevel,
    /// Upper case; empty: all.
    pub methods: &'static [&'static str],
    /// As written; `None`: the name.
    pub route: Option<&'static str>,
    /// The receiver of a 1.x webhook.
    pub webhook: Option<Webhook>,
    /// Parameters that are bound to route values.
    pub placeholders: &'static [&'static str],
    /// States that it asks for.
    pub states: &'static [StateSpec],
    /// What its body holds, if it reads one.
    pub body: Option<BodySpec>,
    /// Binds, calls, answers.
    pub call: fn(HttpInvocation) -> LocalBoxFuture<'static, HttpResponse>,
}

durable_runtime::__private::inventory::collect!(HttpRegistration);

impl fmt::Debug for HttpRegistration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRegistration")
            .field("name", &self.name)
            .field("route", &self.route)
            .finish_non_exhaustive()
    }
}

/// One call of an HTTP function.
pub struct HttpInvocation {
    request: HttpRequest,
    payload: Payload,
    /// What the caller's key grants, until somebody might ask for it.
    granted: Option<Grant>,
    values: Values,
}

/// Values of the route, decoded, by the parameters that they are bound to.
pub(crate) type Values = Vec<(&'static str, Option<String>)>;

impl HttpInvocation {
    pub(crate) fn new(
        request: HttpRequest,
        payload: Payload,
        granted: Option<Grant>,
        values: Values,
    ) -> Self {
        Self {
            request,
            payload,
            granted,
            values,
        }
    }

    /// A client of the hub; what it starts belongs to the trace of the request.
    ///
    /// # Errors
    /// The answer for a hub or connection that cannot be reached.
    pub fn client(
        &self,
        task_hub: Option<&str>,
        connection: Option<&str>,
    ) -> Result<DurableClient, HttpResponse> {
        let shared = self.request.app_data::<web::Data<Shared>>();
        let shared = shared.ok_or_else(|| HttpResponse::InternalServerError().finish())?;
        match shared.client.of(task_hub, connection) {
            Ok(client) => Ok(traced(client, self.request.headers())),
            Err(error) => Err(error.error_response()),
        }
    }

    /// A route value.
    ///
    /// # Errors
    /// 404 for a value that the parameter's type does not take: the route does not lead here.
    pub fn placeholder<T: FromStr>(&self, name: &str) -> Result<T, HttpResponse> {
        self.value(name)
            .unwrap_or_default()
            .parse()
            .map_err(|_| HttpResponse::NotFound().finish())
    }

    /// A route value that may be absent.
    ///
    /// # Errors
    /// 404 for a value that the parameter's type does not take.
    pub fn optional_placeholder<T: FromStr>(&self, name: &str) -> Result<Option<T>, HttpResponse> {
        let value = self.value(name).map(str::parse).transpose();
        value.map_err(|_| HttpResponse::NotFound().finish())
    }

    fn value(&self, name: &str) -> Option<&str> {
        let value = self.values.iter().find(|(other, _)| *other == name);
        value.and_then(|(_, value)| value.as_deref())
    }

    /// Anything that actix-web can extract.
    ///
    /// # Errors
    /// The extractor's answer.
    pub async fn extract<T: FromRequest>(&mut self, _name: &str) -> Result<T, HttpResponse> {
        if let Some(granted) = self.granted.take() {
            self.request.extensions_mut().insert(granted);
        }
        extract::extract(&self.request, &mut self.payload).await
    }

    /// 204.
    #[must_use]
    pub fn respond_unit(self) -> HttpResponse {
        HttpResponse::NoContent().finish()
    }

    /// 204, or the error's answer.
    pub fn respond_unit_result<E: Into<actix_web::Error>>(
        self,
        result: Result<(), E>,
    ) -> HttpResponse {
        match result {
            Ok(()) => self.respond_unit(),
            Err(error) => HttpResponse::from_error(error),
        }
    }

    /// The responder's answer.
    pub fn respond<R: Responder>(self, output: R) -> HttpResponse {
        output.respond_to(&self.request).map_into_boxed_body()
    }

    /// The responder's answer, or the error's.
    pub fn respond_result<R: Responder, E: Into<actix_web::Error>>(
        self,
        result: Result<R, E>,
    ) -> HttpResponse {
        match result {
            Ok(output) => self.respond(output),
            Err(error) => HttpResponse::from_error(error),
        }
    }
}

impl fmt::Debug for HttpInvocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpInvocation")
            .field("path", &self.request.path())
            .finish_non_exhaustive()
    }
}
