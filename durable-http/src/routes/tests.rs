//! The routing vectors of the reference (host.md 7.2), and that nothing panics.

use proptest::prelude::*;

use super::table::{RouteSpec, Table};

fn table(routes: &[(&str, &str, &[&str])]) -> Table<String> {
    build("api", routes).unwrap()
}

fn build(prefix: &str, routes: &[(&str, &str, &[&str])]) -> Result<Table<String>, Vec<String>> {
    let specs = routes.iter().map(|(function, route, methods)| RouteSpec {
        function: (*function).to_owned(),
        route: (*route).to_owned(),
        methods: methods.iter().map(|method| (*method).to_owned()).collect(),
        target: (*function).to_owned(),
    });
    Table::build(prefix, false, specs.collect())
}

/// `function name=value ..`, or nothing.
fn ask(table: &Table<String>, method: &str, path: &str) -> String {
    let Some(found) = table.find(method, path) else {
        return "404".to_owned();
    };
    let values = found
        .values
        .iter()
        .map(|(name, value)| format!(" {name}={}", value.as_deref().unwrap_or("-")));
    format!("{}{}", found.target, values.collect::<String>())
}

#[test]
fn products_follow_their_constraints() {
    let table = table(&[("Prod", "products/{category:alpha}/{id:int?}", &["GET"])]);
    for (method, path, expected) in [
        (
            "GET",
            "/api/products/electronics/123",
            "Prod category=electronics id=123",
        ),
        (
            "GET",
            "/api/products/electronics",
            "Prod category=electronics id=-",
        ),
        ("GET", "/api/products/999/123", "404"),
        ("GET", "/api/products/electronics/1x3", "404"),
        ("POST", "/api/products/electronics/1", "404"),
        ("HEAD", "/api/products/electronics/1", "404"),
        ("OPTIONS", "/api/products/electronics/1", "404"),
        (
            "GET",
            "/API/Products/Electronics/1",
            "Prod category=Electronics id=1",
        ),
        (
            "GET",
            "/api/products/electronics/1/",
            "Prod category=electronics id=1",
        ),
        ("GET", "/api//products/electronics", "404"),
        ("GET", "/api", "404"),
        ("GET", "/api/", "404"),
    ] {
        assert_eq!(ask(&table, method, path), expected, "{method} {path}");
    }
}

#[test]
fn optional_default_catch_all_and_complex_segments() {
    let table = table(&[
        (
            "Opt",
            "csharp/products/{category:alpha?}/{id:int?}/{extra?}",
            &[],
        ),
        ("Def", "trigger/{id}/{name=EMPTY}", &[]),
        ("Files", "files/{*path}", &[]),
        ("Doc", "doc/{file}.{ext?}", &[]),
        ("Bad", "bad/{n:int=x}", &[]),
    ]);
    for (path, expected) in [
        (
            "/api/csharp/products/electronics/123/extra",
            "Opt category=electronics id=123 extra=extra",
        ),
        (
            "/api/csharp/products/electronics",
            "Opt category=electronics id=- extra=-",
        ),
        ("/api/csharp/products", "Opt category=- id=- extra=-"),
        ("/api/trigger/7", "Def id=7 name=EMPTY"),
        ("/api/files/a/b/c.txt", "Files path=a/b/c.txt"),
        ("/api/files", "Files path=-"),
        ("/api/files/a%2Fb%20c", "Files path=a%2Fb c"),
        ("/api/doc/a.b.txt", "Doc file=a.b ext=txt"),
        ("/api/doc/readme", "Doc file=readme ext=-"),
        ("/api/bad", "404"),
    ] {
        assert_eq!(ask(&table, "GET", path), expected, "{path}");
    }
}

#[test]
fn constraints_admit_what_the_reference_admits() {
    for (constraint, good, bad) in [
        (
            "range(18,120)",
            &["18", "120"][..],
            &["17", "121", "abc"][..],
        ),
        ("length(3,5)", &["abc", "abcde"], &["ab", "abcdef"]),
        ("length(3)", &["abc"], &["ab", "abcd"]),
        ("minlength(4)", &["abcd"], &["abc"]),
        ("maxlength(4)", &["abcd"], &["abcde"]),
        ("min(5)", &["5"], &["4"]),
        ("max(5)", &["5"], &["6"]),
        ("bool", &["TRUE", "false"], &["1", "0"]),
        (
            "double",
            &["1e3", "-1.5", "NaN", "Infinity", "1,000.5"],
            &["abc", "inf"],
        ),
        ("float", &["1e3"], &["x"]),
        ("decimal", &["1.5", "1,000"], &["1e3", "abc"]),
        ("int", &["-5", "2147483647"], &["2147483648", "1.0"]),
        ("long", &["2147483648"], &["9223372036854775808"]),
        (
            "guid",
            &[
                "4e2796aeb86540718a202a15cbaf856c",
                "4e2796ae-b865-4071-8a20-2a15cbaf856c",
            ],
            &["notaguid"],
        ),
        (
            "datetime",
            &["2016-12-31", "2016-12-31T10:00:00Z"],
            &["notadate"],
        ),
        ("regex(^\\d{{3}}-\\d{{4}}$)", &["555-1234"], &["5555-123"]),
        ("regex(ab)", &["zABz"], &["a"]),
        ("alpha", &["abc"], &["%C3%A9", "ab1"]),
        ("file", &["a.txt"], &["a", "a."]),
        ("nonfile", &["a"], &["a.txt"]),
    ] {
        let table = table(&[("F", &format!("x/{{v:{constraint}}}"), &[])]);
        for value in good {
            assert_ne!(
                ask(&table, "GET", &format!("/api/x/{value}")),
                "404",
                "{constraint}: {value}"
            );
        }
        for value in bad {
            assert_eq!(
                ask(&table, "GET", &format!("/api/x/{value}")),
                "404",
                "{constraint}: {value}"
            );
        }
    }
}

#[test]
fn names_decide_the_order_and_prefixes_the_path() {
    let by_name = table(&[("A1", "x/{v}", &[]), ("B1", "x/fixed", &[])]);
    assert_eq!(ask(&by_name, "GET", "/api/x/fixed"), "A1 v=fixed");
    let swapped = table(&[("A1", "x/fixed", &[]), ("B1", "x/{v}", &[])]);
    assert_eq!(ask(&swapped, "GET", "/api/x/fixed"), "A1");
    assert_eq!(ask(&swapped, "GET", "/api/x/q"), "B1 v=q");
    let bare = build("", &[("httptrigger", "httptrigger", &[])]).unwrap();
    assert_eq!(ask(&bare, "GET", "/httptrigger"), "httptrigger");
    assert_eq!(ask(&bare, "GET", "/api/httptrigger"), "404");
    let custom = build("custom", &[("httptrigger", "/httptrigger/", &[])]).unwrap();
    assert_eq!(ask(&custom, "PURGE", "/custom/httptrigger"), "httptrigger");
}

#[test]
fn same_routes_with_other_methods_share_a_path() {
    let table = table(&[
        ("Get", "foo/bar/baz", &["GET"]),
        ("Post", "foo/bar/baz", &["POST"]),
    ]);
    assert_eq!(
        (
            ask(&table, "GET", "/api/foo/bar/baz"),
            ask(&table, "POST", "/api/foo/bar/baz")
        ),
        ("Get".into(), "Post".into())
    );
}

#[test]
fn faults_are_told_together() {
    let faults = build(
        "",
        &[
            ("A", "/foo/bar/baz/", &[]),
            ("B", "FOO/bar/baz", &["GET"]),
            ("C", "admin/foo/bar", &[]),
            ("D", "runtime/foo", &[]),
            ("E", "{unbalanced", &[]),
            ("F", "{x:foo}", &[]),
            ("G", "{a}{b}", &[]),
            ("H", "{*all}/x", &[]),
            ("I", "{a}/{A}", &[]),
        ],
    )
    .unwrap_err();
    assert_eq!(faults.len(), 8, "{faults:#?}");
    assert!(faults.iter().any(|fault| {
        fault.starts_with("The route specified conflicts with the route defined by function 'A'.")
    }));
    assert_eq!(
        faults
            .iter()
            .filter(|fault| fault
                .starts_with("The specified route conflicts with one or more built in routes."))
            .count(),
        2
    );
}

proptest! {
    #[test]
    fn nothing_panics(route in "[a-z{}/*?=:.(),0-9é]{0,30}", path in "[a-zA-Z0-9/%.é]{0,30}") {
        if let Ok(table) = build("api", &[("F", &route, &[])]) {
            let _ = table.find("GET", &path);
            let _ = table.find("GET", &format!("/api/{path}"));
        }
    }
}
