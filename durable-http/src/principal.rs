//! [`ClientPrincipal`]: who calls (host.md 6.5 of the reference).

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use serde::{Deserialize, Serialize};

use crate::keys::{Grant, Level};

/// Who calls. Empty for an anonymous call; extraction never fails.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientPrincipal {
    /// The identity provider, if the platform authenticates users.
    pub identity_provider: Option<String>,
    /// The user's id.
    pub user_id: Option<String>,
    /// The user's name.
    pub user_details: Option<String>,
    /// The user's roles.
    pub user_roles: Vec<String>,
    /// What is known of the caller; of a caller with a key: its level and the key's name.
    pub claims: Vec<Claim>,
}

/// One thing that is known of a caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// What it is about.
    pub typ: String,
    /// What it says.
    pub val: String,
}

const CLAIMS: &str = "http://schemas.microsoft.com/2017/07/functions/claims/";

impl FromRequest for ClientPrincipal {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let claims = req
            .extensions()
            .get::<Grant>()
            .map(of_key)
            .unwrap_or_default();
        ready(Ok(Self {
            claims,
            ..Self::default()
        }))
    }
}

fn of_key(grant: &Grant) -> Vec<Claim> {
    let level = match grant.level {
        Level::Function => "Function",
        Level::System => "System",
        Level::Admin => "Admin",
    };
    let claims = [
        ("authlevel", level),
        ("keyid", &*grant.name),
        ("invoke", "true"),
    ];
    claims
        .map(|(typ, val)| Claim {
            typ: format!("{CLAIMS}{typ}"),
            val: val.to_owned(),
        })
        .into()
}
