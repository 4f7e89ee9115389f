//! The vectors of the key API, against its handler.

use actix_web::http::Method;
use actix_web::{App, test, web};
use serde_json::{Value, json};

use crate::host::Shared;
use crate::keys::Scope;

/// The fixture of the specification; `fk-a` and `fk-a1` are the keys of `HttpTrigger`.
async fn fixture() -> web::Data<Shared> {
    let shared = crate::fixture::shared(&["HttpTrigger", "Other"]).await;
    let function = Scope::function("HttpTrigger");
    for (scope, name, value) in [
        (Scope::Master, "master", "m-1234"),
        (Scope::Host, "default", "hk-def"),
        (Scope::Host, "two", "hk-two"),
        (Scope::System, "test_extension", "sk-test"),
        (function.clone(), "default", "fk-a"),
        (function.clone(), "key1", "fk-a1"),
    ] {
        shared.keys.set(&scope, name, value.into()).await.unwrap();
    }
    shared
}

struct Answer {
    status: u16,
    location: Option<String>,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

async fn ask(
    shared: &web::Data<Shared>,
    method: &str,
    path: &str,
    key: Option<&str>,
    body: Option<&str>,
) -> Answer {
    let app = App::new()
        .app_data(web::Data::clone(shared))
        .default_service(web::to(super::handle));
    let app = test::init_service(app).await;
    let mut request = test::TestRequest::with_uri(path)
        .method(Method::from_bytes(method.as_bytes()).unwrap())
        .insert_header(("host", "h"));
    if let Some(key) = key {
        request = request.insert_header(("x-functions-key", key));
    }
    if let Some(body) = body {
        request = request
            .insert_header(("content-type", "application/json"))
            .set_payload(body.to_owned());
    }
    let response = test::call_service(&app, request.to_request()).await;
    let location = response.headers().get("location");
    let location = location.map(|url| url.to_str().unwrap().to_owned());
    let status = response.status().as_u16();
    let body = String::from_utf8(test::read_body(response).await.to_vec()).unwrap();
    Answer {
        status,
        location,
        body,
    }
}

const MASTER: Option<&str> = Some("m-1234");
const KEYS: &str = "/admin/functions/HttpTrigger/keys";

#[actix_web::test]
async fn only_the_master_key_opens_it() {
    let shared = fixture().await;
    for (key, status) in [
        (None, 401),
        (Some("nothing"), 401),
        (Some("fk-a"), 401),
        (Some("hk-def"), 403),
        (Some("sk-test"), 403),
        (MASTER, 200),
    ] {
        assert_eq!(
            ask(&shared, "GET", KEYS, key, None).await.status,
            status,
            "{key:?}"
        );
    }
    let by_query = format!("{KEYS}?code=m-1234");
    let answer = ask(&shared, "GET", &by_query, None, None).await;
    assert_eq!(answer.json()["links"][0]["href"], format!("http://h{KEYS}"));
}

#[actix_web::test]
async fn an_isolated_administration_answers_the_platform_alone() {
    let shared = crate::fixture::shared_with(&[], |settings| settings.isolated_admin = true).await;
    let master = "m-1234".into();
    shared
        .keys
        .set(&Scope::Master, "master", master)
        .await
        .unwrap();
    let app = App::new()
        .app_data(shared)
        .default_service(web::to(super::handle));
    let app = test::init_service(app).await;
    for (key, internal, status) in [
        ("m-1234", None, 403),
        ("m-1234", Some("false"), 403),
        ("m-1234", Some("True"), 200),
        ("nothing", Some("true"), 401),
    ] {
        let mut request = test::TestRequest::get().uri("/admin/host/status");
        request = request.insert_header(("x-functions-key", key));
        if let Some(internal) = internal {
            request = request.insert_header(("x-ms-platform-internal", internal));
        }
        let answer = test::call_service(&app, request.to_request()).await;
        assert_eq!(answer.status(), status, "{key} {internal:?}");
    }
}

#[actix_web::test]
async fn lists_and_single_keys_have_the_known_bodies() {
    let shared = fixture().await;
    let list = ask(&shared, "GET", KEYS, MASTER, None).await;
    assert_eq!(
        list.body,
        concat!(
            r#"{"keys":[{"name":"default","value":"fk-a"},{"name":"key1","value":"fk-a1"}],"#,
            r#""links":[{"rel":"self","href":"http://h/admin/functions/HttpTrigger/keys"}]}"#
        )
    );
    let one = ask(&shared, "GET", &format!("{KEYS}/KEY1"), MASTER, None).await;
    assert_eq!((one.status, &one.json()["value"]), (200, &json!("fk-a1")));
    let host = ask(&shared, "GET", "/admin/host/keys", MASTER, None)
        .await
        .json();
    let names = |list: &Value| {
        let keys = list["keys"].as_array().unwrap().iter();
        keys.map(|key| key["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&host), ["default", "two"]);
    let same = ask(&shared, "GET", "/Admin/Host/FunctionKeys", MASTER, None)
        .await
        .json();
    assert_eq!(host["keys"], same["keys"]);
    let system = ask(&shared, "GET", "/admin/host/systemkeys", MASTER, None)
        .await
        .json();
    assert_eq!(names(&system), ["durabletask_extension", "test_extension"]);
    let master = ask(
        &shared,
        "GET",
        "/admin/host/systemkeys/_master",
        MASTER,
        None,
    )
    .await;
    assert_eq!(master.json()["value"], "m-1234");
}

/// `Clock` is a function without HTTP.
#[actix_web::test]
async fn any_function_has_keys_and_gets_its_default_when_first_asked() {
    let shared = fixture().await;
    let list = "/admin/functions/clock/keys";
    for path in [format!("{list}/default"), list.to_owned(), list.to_owned()] {
        let answer = ask(&shared, "GET", &path, MASTER, None).await;
        assert_eq!(answer.status, 200, "{path}");
    }
    let keys = ask(&shared, "GET", list, MASTER, None).await.json()["keys"].take();
    assert_eq!(keys.as_array().map(Vec::len), Some(1), "{keys}");
    assert_eq!(keys[0]["name"], "default");
    let made = ask(&shared, "POST", &format!("{list}/two"), MASTER, None).await;
    assert_eq!(made.status, 201);
}

#[actix_web::test]
async fn what_is_not_there_is_404() {
    let shared = fixture().await;
    for (method, path) in [
        ("GET", "/admin/functions/DNE/keys"),
        ("GET", "/admin/functions/HttpTrigger/keys/dne"),
        ("GET", "/admin/host/keys/_master"),
        ("GET", "/admin/host/functionkeys/_master"),
        ("GET", "/admin/host/otherkeys"),
        ("POST", "/admin/functions/DNE/keys/k"),
        ("DELETE", "/admin/functions/DNE/keys/k"),
        ("PATCH", "/admin/functions/HttpTrigger/keys/key1"),
        ("POST", "/admin/host/keys"),
        ("GET", "/admin/functions/HttpTrigger/keys/a/b"),
    ] {
        let answer = ask(&shared, method, path, MASTER, None).await;
        assert_eq!((answer.status, &*answer.body), (404, ""), "{method} {path}");
    }
}

#[actix_web::test]
async fn keys_are_made_rolled_set_and_revoked() {
    let shared = fixture().await;
    let (made, rolled) = (format!("{KEYS}/TestKey"), format!("{KEYS}/key1"));
    let ignored = Some(r#"{"name":"x","value":"ignored"}"#);
    let answer = ask(&shared, "POST", &made, MASTER, ignored).await;
    assert_eq!(
        (
            answer.status,
            answer.json()["value"].as_str().unwrap().len()
        ),
        (201, 56)
    );
    assert_eq!(answer.location, Some(format!("http://h{made}")));
    let answer = ask(&shared, "POST", &rolled, MASTER, None).await;
    assert_eq!((answer.status, answer.location), (200, None));
    assert!(shared.keys.grant("fk-a1", Some("HttpTrigger")).is_none());
    let value = Some(r#"{"name":"other","value":"testvalue"}"#);
    let answer = ask(&shared, "PUT", &made, MASTER, value).await;
    assert_eq!(
        (answer.status, &answer.json()["name"]),
        (200, &json!("TestKey"))
    );
    assert!(
        shared
            .keys
            .grant("testvalue", Some("HttpTrigger"))
            .is_some()
    );
    assert_eq!(
        ask(&shared, "DELETE", &made, MASTER, None).await.status,
        204
    );
    assert_eq!(
        ask(&shared, "DELETE", &made, MASTER, None).await.status,
        404
    );
}

#[actix_web::test]
async fn values_that_no_key_can_have_are_refused() {
    let shared = fixture().await;
    let key = format!("{KEYS}/k");
    for body in [
        r#"{"name":"k"}"#,
        r#"{"value":null}"#,
        r#"{"value":""}"#,
        "not json",
    ] {
        let answer = ask(&shared, "PUT", &key, MASTER, Some(body)).await;
        assert_eq!(
            (answer.status, &*answer.body),
            (400, "Invalid key value"),
            "{body}"
        );
    }
    assert_eq!(ask(&shared, "PUT", &key, MASTER, None).await.status, 415);
}

#[actix_web::test]
async fn the_master_key_is_rolled_and_set_but_stays() {
    let shared = fixture().await;
    for path in [
        "/admin/functions/HttpTrigger/keys/_master",
        "/admin/functions/HttpTrigger/keys/_MASter",
        "/admin/host/keys/_master",
        "/admin/host/systemkeys/_Master",
    ] {
        let answer = ask(&shared, "DELETE", path, MASTER, None).await;
        assert_eq!(
            (answer.status, &*answer.body),
            (400, "Cannot delete System Key."),
            "{path}"
        );
    }
    let path = "/admin/host/systemkeys/_master";
    let set = Some(r#"{"name":"_master","value":"PLACEHOLDER"}"#);
    assert_eq!(ask(&shared, "PUT", path, MASTER, set).await.status, 200);
    assert_eq!(ask(&shared, "GET", path, MASTER, None).await.status, 401);
    let new = Some("PLACEHOLDER");
    let rolled = ask(&shared, "POST", "/admin/host/keys/_master", new, None).await;
    assert_eq!(rolled.status, 201);
    assert_eq!(ask(&shared, "GET", path, new, None).await.status, 401);
}

#[actix_web::test]
async fn entities_are_cleaned_for_an_administrator_alone() {
    const CLEAN: &str = "/admin/entities/clean";
    let host = crate::fixture::running().await;
    for (scope, value) in [(Scope::Master, "m-1234"), (Scope::Host, "hk-def")] {
        let name = if scope == Scope::Master {
            "master"
        } else {
            "default"
        };
        host.shared
            .keys
            .set(&scope, name, value.into())
            .await
            .unwrap();
    }
    let refused = ask(&host.shared, "POST", CLEAN, Some("hk-def"), None).await;
    assert_eq!(refused.status, 403);
    let cleaned = ask(&host.shared, "POST", CLEAN, MASTER, None).await;
    let expected = json!({ "emptyRemoved": 0, "locksReleased": 0 });
    assert_eq!((cleaned.status, cleaned.json()), (200, expected));
    host.stop().await;
}
