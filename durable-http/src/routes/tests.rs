//! The published vectors for routing, and what they leave open.

mod arbitrary;
mod constraints;
mod order;
mod templates;

use super::{RouteSpec, Table};

const GET: &[&str] = &["GET"];
const ALL: &[&str] = &[];
const OPT: &str = "csharp/products/{category:alpha?}/{id:int?}/{extra?}";

fn spec(function: &str, route: &str, methods: &[&str]) -> RouteSpec<String> {
    RouteSpec {
        function: function.to_owned(),
        route: route.to_owned(),
        methods: methods.iter().map(|method| (*method).to_owned()).collect(),
        target: function.to_owned(),
    }
}

fn table(prefix: &str, routes: &[(&str, &str, &[&str])]) -> Table<String> {
    built(prefix, false, routes).unwrap()
}

fn built(
    prefix: &str,
    most_specific_first: bool,
    routes: &[(&str, &str, &[&str])],
) -> Result<Table<String>, Vec<String>> {
    let specs = routes
        .iter()
        .map(|(function, route, methods)| spec(function, route, methods));
    Table::build(prefix, most_specific_first, specs.collect())
}

/// What `request`, a method and a path, leads to: the function and the values, or 404.
fn found(table: &Table<String>, request: &str) -> String {
    let (method, path) = request.split_once(' ').unwrap();
    let Some(found) = table.find(method, path) else {
        return "404".to_owned();
    };
    let mut text = found.target.clone();
    for (name, value) in found.values {
        let value = value.as_deref().unwrap_or("-");
        text.push_str(&format!(" {name}={value}"));
    }
    text
}

fn faults(routes: &[(&str, &str, &[&str])]) -> Vec<String> {
    built("api", false, routes).unwrap_err()
}

#[test]
fn fixture() {
    let table = table(
        "api",
        &[
            ("HttpTrigger", "", &["GET", "POST"]),
            ("Other", " ", ALL),
            ("Prod", "products/{category:alpha}/{id:int?}", GET),
            ("Opt", OPT, GET),
        ],
    );
    let vectors = [
        (
            33,
            "GET /api/products/electronics/123",
            "Prod category=electronics id=123",
        ),
        (
            34,
            "GET /api/products/electronics",
            "Prod category=electronics id=-",
        ),
        (35, "GET /api/products/999/123", "404"),
        (36, "GET /api/products/electronics/1x3", "404"),
        (37, "POST /api/products/electronics/1", "404"),
        (38, "HEAD /api/products/electronics/1", "404"),
        (39, "OPTIONS /api/products/electronics/1", "404"),
        (
            40,
            "GET /API/Products/Electronics/1",
            "Prod category=Electronics id=1",
        ),
        (
            41,
            "GET /api/products/electronics/1/",
            "Prod category=electronics id=1",
        ),
        (42, "GET /api//products/electronics", "404"),
        (
            43,
            "GET /api/csharp/products/electronics/123/extra",
            "Opt category=electronics id=123 extra=extra",
        ),
        (
            44,
            "GET /api/csharp/products/electronics",
            "Opt category=electronics id=- extra=-",
        ),
        (
            44,
            "GET /api/csharp/products",
            "Opt category=- id=- extra=-",
        ),
        (71, "GET /api/other", "Other"),
        (71, "POST /api/other", "Other"),
        (71, "PUT /api/other", "Other"),
        (71, "PATCH /api/other", "Other"),
        (71, "DELETE /api/other", "Other"),
        (71, "BREW /api/other", "Other"),
    ];
    for (number, request, expected) in vectors {
        assert_eq!(
            found(&table, request),
            expected,
            "vector {number}: {request}"
        );
    }
}

#[test]
fn one_route_each() {
    let guid = "4e2796ae-b865-4071-8a20-2a15cbaf856c";
    let with_guid = format!("F category=electronics id={guid}");
    let vectors = [
        (
            45,
            "{category:alpha?}/{id:guid?}",
            "/electronics/notaguid".to_owned(),
            "404",
        ),
        (
            46,
            "{category:alpha?}/{id:guid?}",
            format!("/electronics/{guid}"),
            &with_guid,
        ),
        (
            47,
            "trigger/{id}/{name=EMPTY}",
            "/trigger/7".to_owned(),
            "F id=7 name=EMPTY",
        ),
        (
            48,
            "files/{*path}",
            "/files/a/b/c.txt".to_owned(),
            "F path=a/b/c.txt",
        ),
        (49, "files/{*path}", "/files".to_owned(), "F path=-"),
        (
            50,
            "{file}.{ext?}",
            "/a.b.txt".to_owned(),
            "F file=a.b ext=txt",
        ),
        (
            50,
            "{file}.{ext?}",
            "/readme".to_owned(),
            "F file=readme ext=-",
        ),
    ];
    for (number, route, path, expected) in vectors {
        let table = table("api", &[("F", route, GET)]);
        let request = format!("GET /api{path}");
        assert_eq!(
            found(&table, &request),
            expected,
            "vector {number}: {request}"
        );
    }
}
