//! What settings change: prefixes, headers of one's own, principals that a platform vouches for.

use std::time::Duration;

use durable_functions::actix_web::http::StatusCode;
use durable_functions::prelude::*;
use durable_functions::reqwest::Method;

use crate::functions::Gate;
use crate::host::{Fixture, builder};
use crate::table;

const HTTP: &str = "AzureFunctionsJobHost__extensions__http__";

#[tokio::test]
async fn vectors_62_and_63_the_prefix_is_a_setting() {
    let prefix = format!("{HTTP}routePrefix");
    for (value, table) in [
        (
            "",
            "62 | GET /httptrigger?code=fk-a | | 200\n62 | GET /api/httptrigger?code=fk-a | | 404",
        ),
        (
            "custom",
            "63 | GET /custom/httptrigger?code=fk-a | | 200\n63 | GET /api/httptrigger?code=fk-a | | 404",
        ),
    ] {
        let fixture = Fixture::start(&[(&prefix, value)]).await;
        table::run(&fixture, table).await;
        fixture.stop().await;
    }
}

#[tokio::test]
async fn vectors_26_and_27_without_keys_everybody_is_the_administrator() {
    let folder = tempfile::tempdir().unwrap();
    let host = builder(&folder, &Gate::new(), &[]).with_auth(false);
    let host = host.start().await.unwrap();
    let http = durable_functions::reqwest::Client::new();
    let base = host.url().unwrap();
    for path in [
        "api/httptrigger?name=A",
        "api/adminfn",
        "admin/host/status",
        "api/httptrigger?code=wrong",
    ] {
        let answer = http.get(base.join(path).unwrap()).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), StatusCode::OK.as_u16(), "{path}");
    }
    let home = http.get(base.clone()).send().await.unwrap();
    let home = home.text().await.unwrap();
    assert!(
        home.contains("/api/products/{category:alpha}/{id:int?}"),
        "{home}"
    );
    host.shutdown().await.unwrap();
    let refused = builder(&folder, &Gate::new(), &[])
        .with_auth(false)
        .with_address("0.0.0.0:0");
    let error = refused.start().await.unwrap_err().to_string();
    assert!(error.contains("loopback only"), "{error}");
}

#[tokio::test]
async fn vector_184_custom_headers_are_on_every_answer() {
    let name = format!("{HTTP}customHeaders__X-Content-Type-Options");
    let fixture = Fixture::start(&[(&name, "nosniff")]).await;
    let table = "\
        184 | GET /api/says | | 200 | x-content-type-options:nosniff\n\
        184 | GET /api/httptrigger | | 401 | x-content-type-options:nosniff\n\
        184 | GET /api/none | | 404 | x-content-type-options:nosniff\n\
        184 | GET /api/boom | | 500 | x-content-type-options:nosniff\n\
        184 | GET / | | 200 | x-content-type-options:nosniff\n\
        184 | GET /admin/host/ping | | 200 | x-content-type-options:nosniff\n\
        184 | GET /api/custom | | 200 | x-content-type-options:own";
    table::run(&fixture, table).await;
    fixture.stop().await;
}

/// `{"auth_typ":"aad","name_typ":"n","role_typ":"r","claims":[{"typ":"n","val":"Ann"}]}`
const EASY: &str = "eyJhdXRoX3R5cCI6ImFhZCIsIm5hbWVfdHlwIjoibiIsInJvbGVfdHlwIjoiciIsImNsYWltcyI6W3sidHlwIjoibiIsInZhbCI6IkFubiJ9XX0=";

#[tokio::test]
async fn vectors_187_to_191_a_principal_counts_where_the_platform_vouches_for_it() {
    let table = |lines: &str| lines.replace("EASY", EASY);
    let fixture = Fixture::start(&[]).await;
    let line = table(
        "187 | GET /api/anon | X-MS-CLIENT-PRINCIPAL:EASY | 200 | /identityProvider=null && /claims=[]",
    );
    table::run(&fixture, &line).await;
    fixture.stop().await;
    let fixture = Fixture::start(&[("WEBSITE_AUTH_ENABLED", "True")]).await;
    let lines = table(
        "188 | GET /api/who | X-MS-CLIENT-PRINCIPAL:EASY H:hk-two | 200 | /identityProvider=\"aad\" && /claims/0/val=\"Ann\" && /claims/1/val=\"Function\" && /claims/2/val=\"two\"
         189 | GET /api/anon | X-MS-CLIENT-PRINCIPAL:EASY | 200 | /userDetails=\"Ann\" && !/claims/1
         190 | GET /api/anon | X-MS-CLIENT-PRINCIPAL:e30= | 200 | /identityProvider=null
         190 | GET /api/anon | X-MS-CLIENT-PRINCIPAL: | 200 | /identityProvider=null
         190 | GET /api/anon | X-MS-CLIENT-PRINCIPAL:%%% | 200 | /identityProvider=null
         191 | GET /api/httptrigger | X-MS-CLIENT-PRINCIPAL:EASY | 401
         2.3 | GET /admin/host/status | X-MS-CLIENT-PRINCIPAL:EASY | 403",
    );
    table::run(&fixture, &lines).await;
    fixture.stop().await;
}

#[tokio::test]
async fn vectors_108_and_134_a_function_has_a_key_from_the_start() {
    let fixture = Fixture::start(&[]).await;
    let url = fixture.base() + "/admin/functions/Void/keys";
    let answer = fixture
        .http
        .request(Method::GET, url)
        .header("x-functions-key", "m-1234");
    let list: serde_json::Value = answer.send().await.unwrap().json().await.unwrap();
    let keys = list["keys"].as_array().unwrap();
    assert_eq!((keys.len(), &keys[0]["name"]), (1, &"default".into()));
    let value = keys[0]["value"].as_str().unwrap();
    assert!(
        value.len() == 56 && value.ends_with("==") && &value[44..48] == "AzFu",
        "{value}"
    );
    fixture.stop().await;
}

#[tokio::test]
async fn vector_132_many_writers_lose_no_key() {
    let fixture = Fixture::start(&[]).await;
    let put = |index: usize| {
        let url = format!("{}/admin/functions/Other/keys/k{index}", fixture.base());
        let put = fixture.http.post(url).header("x-functions-key", "m-1234");
        put.send()
    };
    for answer in futures::future::join_all((0..20).map(put)).await {
        assert_eq!(answer.unwrap().status(), 201);
    }
    let url = fixture.base() + "/admin/functions/Other/keys?code=m-1234";
    let list: serde_json::Value = fixture
        .http
        .get(url)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(list["keys"].as_array().unwrap().len(), 21);
    fixture.stop().await;
}

#[tokio::test]
async fn vectors_141_and_143_keys_are_stored_encrypted_and_never_replaced_silently() {
    let fixture = Fixture::start(&[]).await;
    let durable = fixture.root().join(".durable");
    let files = || {
        std::fs::read_dir(&durable)
            .unwrap()
            .map(|entry| entry.unwrap().path())
    };
    for file in files() {
        let bytes = std::fs::read(&file).unwrap();
        for key in [
            "hk-two",
            "m-1234",
            "t8laajal0a1ajkgzoqlfv5gxr4ebhqozebw4qzdy",
        ] {
            let found = bytes
                .windows(key.len())
                .any(|window| window == key.as_bytes());
            assert!(!found, "{key} in {}", file.display());
        }
    }
    let key_file = files()
        .find(|file| file.extension().is_some_and(|end| end == "key"))
        .unwrap();
    let Fixture { host, folder, .. } = fixture;
    host.shutdown().await.unwrap();
    std::fs::write(&key_file, "ab".repeat(32)).unwrap();
    let again = builder(&folder, &Gate::new(), &[]);
    let error = again.start().await.unwrap_err().to_string();
    assert!(
        error.contains("cannot be decrypted") && error.contains(".key"),
        "{error}"
    );
}

#[tokio::test]
async fn vector_174_the_home_page_may_be_left_out() {
    let fixture = Fixture::start(&[("AzureWebJobsDisableHomepage", "true")]).await;
    table::run(&fixture, "174 | GET / | | 204 | -content-type").await;
    fixture.stop().await;
}

#[tokio::test]
async fn what_is_offline_when_it_starts_runs_nothing_until_it_is_online() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("app_offline.htm"), "back at noon").unwrap();
    let host = builder(&folder, &Gate::new(), &[]).with_auth(false);
    let host = host.start().await.unwrap();
    let (client, minute) = (host.client(), Duration::from_secs(60));
    let counter = EntityId::new("Counter", "k");
    let one = client
        .start_new_by_name("OneActivity", "World")
        .await
        .unwrap();
    client.signal_entity(&counter, "add", 1).await.unwrap();
    // Orchestrators go on: this one has its turn after all of those.
    let behind = client
        .start_new_by_name("EchoOrchestrator", 1)
        .await
        .unwrap();
    client.wait_for_completion(&behind, minute).await.unwrap();
    let status = client.get_status(&one).await.unwrap().unwrap();
    assert_eq!(status.runtime_status, RuntimeStatus::Running);
    let state = client.read_entity_state_by_id::<Value>(&counter);
    assert_eq!(state.await.unwrap(), None);
    let url = host.url().unwrap().join("admin/host/state").unwrap();
    let online = durable_functions::reqwest::Client::new().put(url);
    let online = online.body("\"running\"").send().await.unwrap();
    assert_eq!(online.status(), 202);
    let status = client.wait_for_completion(&one, minute).await.unwrap();
    assert_eq!(status.output, Some("Hello, World!".into()));
    assert!(!folder.path().join("app_offline.htm").exists());
    host.shutdown().await.unwrap();
}

#[tokio::test]
async fn vector_183_browsers_are_told_of_https_where_a_trusted_proxy_speaks_it() {
    let at = |name: &str| format!("{HTTP}{name}");
    let (hsts, proxies) = (at("hsts__isEnabled"), at("trustedProxies"));
    let forwarded = "X-Forwarded-Proto:https X-Forwarded-Host:a.example";
    let trusting = format!(
        "183 | GET /api/says | {forwarded} | 200 | strict-transport-security:max-age=2592000
         183 | GET /api/says | X-Forwarded-Proto:https X-Forwarded-Host:localhost | 200 | -strict-transport-security
         183 | GET /api/says | | 200 | -strict-transport-security
         6.3 | GET /admin/functions/Says | H:m-1234 {forwarded} | 200 | /href=\"https://a.example/admin/functions/Says\"
         6.3 | GET /admin/functions/Says | H:m-1234 X-Forwarded-Proto:https DISGUISED-HOST:b.example | 200 | /href=\"https://b.example/admin/functions/Says\""
    );
    let fixture = Fixture::start(&[(&hsts, "true"), (&proxies, "10.0.0.0/8,127.0.0.1")]).await;
    table::run(&fixture, &trusting).await;
    fixture.stop().await;
    let doubting = format!(
        "183 | GET /api/says | {forwarded} | 200 | -strict-transport-security
         6.3 | GET /admin/functions/Says | H:m-1234 {forwarded} | 200 | /href=\"$base/admin/functions/Says\""
    );
    let fixture = Fixture::start(&[(&hsts, "true")]).await;
    table::run(&fixture, &doubting).await;
    fixture.stop().await;
}

#[tokio::test]
async fn pages_of_listed_origins_may_call() {
    let settings = [
        ("FUNCTIONS_ENABLE_CORS_CONFIGURATION", "1"),
        ("CORS_ALLOWED_ORIGINS", r#"["https://a.example"]"#),
    ];
    let fixture = Fixture::start(&settings).await;
    let table = "\
        6.3 | OPTIONS /api/httptrigger | Origin:https://a.example Access-Control-Request-Method:POST | 204 | access-control-allow-origin:https://a.example && access-control-allow-methods:POST
        6.3 | OPTIONS /api/httptrigger | Origin:https://b.example Access-Control-Request-Method:POST | 204 | -access-control-allow-origin && -access-control-allow-methods
        6.3 | GET /api/httptrigger | Origin:https://a.example | 401 | access-control-allow-origin:https://a.example && vary:Origin
        6.3 | GET /api/says | | 200 | -access-control-allow-origin";
    table::run(&fixture, table).await;
    fixture.stop().await;
}
