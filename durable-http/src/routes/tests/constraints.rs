//! Every constraint, with values that pass and values that do not.

use super::{GET, found, table};

/// A constraint, values that pass, values that do not.
type Constrained = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

fn check(constraints: &[Constrained]) {
    for (constraint, good, bad) in constraints {
        let table = table("", &[("F", &format!("x/{{v:{constraint}}}"), GET)]);
        for (values, passes) in [(good, true), (bad, false)] {
            for value in *values {
                let path = format!("/x/{value}");
                let found = table.find("GET", &path).is_some();
                assert_eq!(found, passes, "{constraint}: {value}");
            }
        }
    }
}

/// Vectors 51 to 61.
#[test]
fn published_constraints() {
    check(&[
        ("range(18,120)", &["18", "120"], &["17", "121", "abc"]),
        ("length(3,5)", &["abc", "abcde"], &["ab", "abcdef"]),
        ("minlength(4)", &["abcd"], &["abc"]),
        ("maxlength(4)", &["abcd"], &["abcde"]),
        ("bool", &["TRUE"], &["1"]),
        ("double", &["1e3", "-1.5"], &["abc"]),
        ("decimal", &["1.5"], &["1e3"]),
        ("int", &["-5"], &["2147483648", "1.0"]),
        ("long", &["2147483648"], &["9223372036854775808"]),
        ("guid", &["4e2796aeb86540718a202a15cbaf856c"], &["4e2796ae"]),
        ("datetime", &["2016-12-31"], &["notadate"]),
        (r"regex(^\d{{3}}-\d{{4}}$)", &["555-1234"], &["5555-123"]),
        ("regex(ab)", &["zABz"], &["ba"]),
        ("alpha", &["aZ"], &["%C3%A9", "ab1"]),
    ]);
}

#[test]
fn constraints_on_numbers_and_text() {
    check(&[
        (
            "INT",
            &["+5", "%20-5%20", "2147483647"],
            &["1,000", "-", "5-", "٣"],
        ),
        ("bool", &["%20False"], &["yes"]),
        (
            "decimal",
            &[
                "1,000.5",
                "-.5",
                "5.",
                "5-",
                "79228162514264337593543950335",
            ],
            &[
                "NaN",
                ".",
                ",1",
                "1.0,0",
                "--5",
                "79228162514264337593543950336",
            ],
        ),
        (
            "float",
            &["1,000.5", "NaN", "-Infinity", ".5E-3", "1e400", "+1"],
            &["1e", "e3", "1e3.5", "infinit", "."],
        ),
        ("length(2)", &["ab", "%F0%9F%98%80"], &["a", "abc"]),
        ("min(18)", &["18", "9223372036854775807"], &["17", "x"]),
        ("max(-1)", &["-1", "-9223372036854775808"], &["0"]),
        ("range(1, 3)", &["+2"], &["0", "4"]),
        ("int:min(1):max(3)", &["2"], &["0", "4", "x"]),
        ("regex(^(a|b),c:d$)", &["A,c:d"], &["c,c:d"]),
        ("regex(^[a-z/]+$)", &["abc"], &["a1"]),
        ("required", &["x"], &[]),
        ("file", &["a.txt", ".a", "a..b"], &["a", "a.", "a.."]),
        ("nonfile", &["a", "a."], &["a.txt"]),
    ]);
}

#[test]
fn constraints_on_guids_and_dates() {
    check(&[
        (
            "guid",
            &[
                "4E2796AE-b865-4071-8a20-2a15cbaf856c",
                "%7B4e2796ae-b865-4071-8a20-2a15cbaf856c%7D",
                "(4e2796ae-b865-4071-8a20-2a15cbaf856c)",
                "%7B0x4e2796ae,0xb865,0x4071,%7B0x8a,0x20,0x2a,0x15,0xcb,0xaf,0x85,0x6%7D%7D",
            ],
            &[
                "4e2796ae-b865-4071-8a202a15cbaf856c",
                "4e2796ae-b865-4071-8a20-2a15cbaf856c-",
                "%7B4e2796ae-b865-4071-8a20-2a15cbaf856c)",
                "%7B4e2796aeb86540718a202a15cbaf856c%7D",
                "%7B0x4e2796ae,0xb865,0x4071,%7B0x8a,0x20%7D%7D",
                "g0000000000000000000000000000000",
            ],
        ),
        (
            "datetime",
            &["2016-12-31"],
            &[
                "2016-13-01",
                "2016-02-30",
                "2016-12-31T25:00",
                "2016-12-31%20noon",
                "12",
                "-2016-1-1",
                "2016-12-31T",
            ],
        ),
        (
            "datetime",
            &[
                "2016-12-31T19:32:07Z",
                "2016-12-31T19:32:07.123%2B01:00",
                "2016-12-31T19:32Z",
                "2016-12-31%2019:32",
                "2016-12-31%207:32pm",
                "2016-12-31%207:32:10%20PM",
                "2016-1-2",
            ],
            &[],
        ),
    ]);
}

/// A date with slashes fits no segment, since `%2F` stays: only a catch-all can hold one.
#[test]
fn dates_with_slashes() {
    let table = table("", &[("F", "x/{*v:datetime}", GET)]);
    assert_eq!(found(&table, "GET /x/12/31/2016"), "F v=12/31/2016");
    assert_eq!(
        found(&table, "GET /x/12/31/2016%207:32%20pm"),
        "F v=12/31/2016 7:32 pm"
    );
    assert_eq!(found(&table, "GET /x/31/12/2016"), "404");
    assert_eq!(found(&table, "GET /x"), "404");
}
