//! What no test from outside can do: senders that are not on this machine.

use std::net::SocketAddr;

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;

use super::receive;
use crate::__private::{AuthLevel, HttpRegistration, Webhook};
use crate::fixture;
use crate::keys::Scope;

static HOOK: HttpRegistration = HttpRegistration {
    name: "Hook",
    module: module_path!(),
    file: file!(),
    line: line!(),
    auth: AuthLevel::Function,
    methods: &[],
    route: None,
    webhook: Some(Webhook::GenericJson),
    placeholders: &[],
    states: &[],
    call: |call| Box::pin(async move { call.respond_unit() }),
};

async fn status(peer: &str, over_http: bool) -> StatusCode {
    let shared = fixture::shared_with(&["Hook"], |settings| {
        settings.webhooks_over_http = over_http
    });
    let shared = shared.await;
    let key = "k".repeat(32);
    let scope = Scope::function("Hook");
    shared
        .keys
        .set(&scope, "default", key.as_str().into())
        .await
        .unwrap();
    let mut req = TestRequest::post()
        .uri(&format!("/api/hook?code={key}"))
        .peer_addr(peer.parse::<SocketAddr>().unwrap())
        .insert_header(("content-type", "application/json"))
        .set_payload("{}")
        .to_srv_request();
    let received = receive(&mut req, &shared, &HOOK, Webhook::GenericJson).await;
    received.map_or_else(|response| response.status(), |()| StatusCode::OK)
}

/// Vector 204.
#[actix_web::test]
async fn keys_are_taken_from_afar_over_tls_only_unless_a_setting_says_otherwise() {
    assert_eq!(status("10.0.0.1:1", false).await, StatusCode::BAD_REQUEST);
    assert_eq!(status("10.0.0.1:1", true).await, StatusCode::OK);
    assert_eq!(status("127.0.0.1:1", false).await, StatusCode::OK);
}
