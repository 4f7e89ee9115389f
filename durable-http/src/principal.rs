//! [`ClientPrincipal`]: who calls (host.md 6.5 of the reference).

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::host::Shared;
use crate::keys::Grant;

/// Who calls. Empty for an anonymous call; extraction never fails.
///
/// What a platform in front of the host says in `X-MS-CLIENT-PRINCIPAL` counts only if the setting `WEBSITE_AUTH_ENABLED` is true:
/// without a platform anybody can send that header.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
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
        let shared = req.app_data::<web::Data<Shared>>();
        let principal = shared.and_then(|shared| of_platform(shared, req));
        let mut principal = principal.unwrap_or_default();
        if let Some(grant) = req.extensions().get::<Grant>() {
            principal.claims.extend(of_key(grant));
        }
        ready(Ok(principal))
    }
}

/// Whom the platform in front of the host vouches for, if it is trusted.
pub(crate) fn of_platform(shared: &Shared, req: &HttpRequest) -> Option<ClientPrincipal> {
    let trusted = shared.settings.trust_principal;
    trusted.then(|| vouched_for(req)).flatten()
}

/// The key's identity.
fn of_key(grant: &Grant) -> [Claim; 3] {
    let claims = [
        ("authlevel", grant.level.name()),
        ("keyid", &*grant.name),
        ("invoke", "true"),
    ];
    claims.map(|(typ, val)| Claim {
        typ: format!("{CLAIMS}{typ}"),
        val: val.to_owned(),
    })
}

/// What `X-MS-CLIENT-PRINCIPAL` says, in one of its two forms; anything else is no identity.
fn vouched_for(req: &HttpRequest) -> Option<ClientPrincipal> {
    let header = |name: &str| req.headers().get(name)?.to_str().ok();
    let json = STANDARD.decode(header("x-ms-client-principal")?).ok()?;
    if let Ok(easy) = serde_json::from_slice::<EasyAuth>(&json) {
        return Some(easy.principal(header("x-ms-client-principal-id")));
    }
    let principal: ClientPrincipal = serde_json::from_slice(&json).ok()?;
    principal.identity_provider.is_some().then_some(principal)
}

/// The form of App Service; the other one, of Static Web Apps, is [`ClientPrincipal`]'s own.
#[derive(Deserialize)]
struct EasyAuth {
    auth_typ: String,
    #[serde(default)]
    name_typ: String,
    #[serde(default)]
    role_typ: String,
    #[serde(default)]
    claims: Vec<Claim>,
}

impl EasyAuth {
    fn principal(self, id: Option<&str>) -> ClientPrincipal {
        let all = |typ: &str| {
            let of_type = self.claims.iter().filter(move |claim| claim.typ == typ);
            of_type.map(|claim| claim.val.clone()).collect::<Vec<_>>()
        };
        ClientPrincipal {
            user_id: id.map(str::to_owned),
            user_details: all(&self.name_typ).into_iter().next(),
            user_roles: all(&self.role_typ),
            identity_provider: Some(self.auth_typ),
            claims: self.claims,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn said(json: &str) -> Option<ClientPrincipal> {
        let header = ("x-ms-client-principal", STANDARD.encode(json));
        let id = ("x-ms-client-principal-id", "7");
        let req = TestRequest::default()
            .insert_header(header)
            .insert_header(id);
        vouched_for(&req.to_http_request())
    }

    #[test]
    fn both_forms_are_understood() {
        let easy = r#"{"auth_typ":"aad","name_typ":"n","role_typ":"r",
            "claims":[{"typ":"n","val":"Ann"},{"typ":"r","val":"admin"}]}"#;
        let principal = said(easy).unwrap();
        assert_eq!(principal.identity_provider.as_deref(), Some("aad"));
        assert_eq!(principal.user_id.as_deref(), Some("7"));
        assert_eq!(principal.user_details.as_deref(), Some("Ann"));
        assert_eq!(principal.user_roles, ["admin"]);
        assert_eq!(principal.claims.len(), 2);
        let web = r#"{"identityProvider":"github","userId":"u","userRoles":["anonymous"]}"#;
        let principal = said(web).unwrap();
        assert_eq!(principal.identity_provider.as_deref(), Some("github"));
        assert_eq!(principal.user_roles, ["anonymous"]);
    }

    #[test]
    fn anything_else_is_no_identity() {
        for json in ["", "{}", "[]", "nonsense"] {
            assert_eq!(said(json), None, "{json}");
        }
    }

    #[actix_web::test]
    async fn nobody_is_believed_without_a_platform() {
        let header = (
            "x-ms-client-principal",
            STANDARD.encode(r#"{"auth_typ":"aad"}"#),
        );
        let req = TestRequest::default()
            .insert_header(header)
            .to_http_request();
        let principal = ClientPrincipal::extract(&req).await.unwrap();
        assert_eq!(principal, ClientPrincipal::default());
    }
}
