//! Several functions: prefixes, conflicts, reserved paths, and who comes first.

use super::{ALL, GET, built, faults, found, spec, table};
use crate::routes::Table;

#[test]
fn prefixes() {
    let bare = table("", &[("HttpTrigger", "", ALL)]);
    assert_eq!(found(&bare, "GET /httptrigger"), "HttpTrigger", "vector 62");
    assert_eq!(found(&bare, "GET /api/httptrigger"), "404", "vector 62");
    for prefix in ["custom", "/custom/"] {
        let custom = table(prefix, &[("HttpTrigger", "", ALL)]);
        assert_eq!(
            found(&custom, "GET /custom/httptrigger"),
            "HttpTrigger",
            "vector 63"
        );
    }
    let root = table("", &[("Root", "/", ALL), ("Rest", "{*rest}", ALL)]);
    assert_eq!(found(&root, "GET /x/y"), "Rest rest=x/y");
    assert_eq!(found(&root, "GET /"), "Rest rest=-");
}

/// Vector 64.
#[test]
fn one_route_for_two_functions() {
    let routes: [(&str, &str, &[&str]); 2] =
        [("G", "foo/bar/baz", GET), ("P", "foo/bar/baz", &["POST"])];
    let table = table("api", &routes);
    assert_eq!(found(&table, "GET /api/foo/bar/baz"), "G");
    assert_eq!(found(&table, "POST /api/foo/bar/baz"), "P");
    assert_eq!(found(&table, "PUT /api/foo/bar/baz"), "404");
}

/// Vectors 65 and 66.
#[test]
fn conflicts() {
    let both: [(&str, &str, &[&str]); 2] =
        [("Y", "foo/bar", GET), ("X", "foo/bar", &["HEAD", "GET"])];
    assert_eq!(
        faults(&both),
        [
            "function `Y`: the route `/api/foo/bar` is that of function `X` as well, for GET; give one of them another \
          route or other methods"
        ]
    );
    let any: [(&str, &str, &[&str]); 2] = [("X", "foo/bar", GET), ("Y", "foo/bar", ALL)];
    assert!(faults(&any)[0].contains("for GET"));
    let outer: [(&str, &str, &[&str]); 2] =
        [("X", "/foo/bar/baz/", ALL), ("Y", "FOO/bar/baz", ALL)];
    assert!(faults(&outer)[0].contains("for all methods"));
}

/// Vector 67, and decision D15.
#[test]
fn reserved() {
    for route in ["admin/foo/bar", "/Runtime/foo/bar", "ADMIN"] {
        let faults = built("", false, &[("F", route, ALL)]).unwrap_err();
        assert!(
            faults[0].contains("function `F`") && faults[0].contains("host's own"),
            "{faults:?}"
        );
        assert!(built("api", false, &[("F", route, ALL)]).is_ok(), "{route}");
    }
    assert!(
        built(
            "",
            false,
            &[("adminTasks", "", ALL), ("F", "administrators/{id}", ALL)]
        )
        .is_ok()
    );
    assert!(built("Admin", false, &[]).unwrap_err()[0].contains("route prefix `Admin`"));
}

/// Vectors 68 and 69.
#[test]
fn order_of_names() {
    let first = [("B1", "x/fixed", GET), ("a1", "x/{v}", GET)];
    let vectors = table("api", &first);
    assert_eq!(found(&vectors, "GET /api/x/fixed"), "a1 v=fixed");
    let specific = built("api", true, &first).unwrap();
    assert_eq!(found(&specific, "GET /api/x/fixed"), "B1");
    assert_eq!(found(&specific, "GET /api/x/q"), "a1 v=q");
    let swapped = table("api", &[("B1", "x/{v}", GET), ("A1", "x/fixed", GET)]);
    assert_eq!(found(&swapped, "GET /api/x/fixed"), "A1");
    assert_eq!(found(&swapped, "GET /api/x/q"), "B1 v=q");
    let names: Vec<_> = swapped
        .iter()
        .map(|route| (route.function(), route.template().text()))
        .collect();
    assert_eq!(names, [("A1", "/api/x/fixed"), ("B1", "/api/x/{v}")]);
}

/// A thousand routes of text, and a fallback that comes first, or last, by its name.
#[test]
fn many_routes() {
    for (fallback, expected) in [("A", "A any=f500"), ("Z", "F500")] {
        let mut specs: Vec<_> = (0..1000)
            .map(|number| spec(&format!("F{number}"), &format!("g/f{number}"), GET))
            .collect();
        specs.push(spec(fallback, "g/{any}", ALL));
        let table = Table::build("api", false, specs).unwrap();
        assert_eq!(found(&table, "GET /api/g/f500"), expected);
        let posted = format!("{fallback} any=F500");
        assert_eq!(found(&table, "POST /api/G/F500"), posted);
        assert_eq!(found(&table, "GET /api/g"), "404");
    }
}
