#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use super::*;

fn names(route: &str) -> Vec<String> {
    parse(route)
        .unwrap()
        .into_iter()
        .map(|placeholder| placeholder.name)
        .collect()
}

#[track_caller]
fn refused(route: &str, position: usize, part: &str) {
    let faults = parse(route).unwrap_err();
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert_eq!(faults[0].position, position, "{faults:?}");
    assert!(faults[0].message.contains(part), "{faults:?}");
}

#[test]
fn placeholders_are_found() {
    assert_eq!(names(""), [""; 0]);
    assert_eq!(names("orchestrators/{function_name}"), ["function_name"]);
    assert_eq!(names("/{a}/b/{c}/"), ["a", "c"]);
    assert_eq!(names("~/{a}"), ["a"]);
    assert_eq!(names("{file}.{ext?}"), ["file", "ext"]);
    assert_eq!(names("{a}-{b}-{c}"), ["a", "b", "c"]);
    assert_eq!(
        names("products/{category:alpha}/{id:int?}"),
        ["category", "id"]
    );
    assert_eq!(
        names("control/{id}/{reason=none}/{more=}"),
        ["id", "reason", "more"]
    );
    assert_eq!(names("{{literal}}/{a}"), ["a"]);
    assert_eq!(names("{*rest}"), ["rest"]);
    assert_eq!(names("files/{**rest}"), ["rest"]);
    assert_eq!(names("files/{*rest=index.html}"), ["rest"]);
    assert_eq!(names("{id?}/{more?}"), ["id", "more"]);
}

#[test]
fn constraints_are_read() {
    for route in [
        "{v:regex(^\\d{{3}}$)}",
        "{v:regex(^(a|b)$)}",
        "{v:regex(^(a|b),c:d=e/f$):minlength(1)=x}",
        "{v:INT}",
        "{v:int:min(1):max(10)?}",
        "{v:range(-5, 5)}",
        "{v:length(4)}/{w:length(4,8)}",
        "{v:datetime}/{w:guid}/{x:file}/{y:nonfile}/{z:required}",
    ] {
        assert!(parse(route).is_ok(), "{route}: {:?}", parse(route));
    }
}

#[test]
fn optional_and_catch_all_are_told() {
    let found = parse("{a}/{b?}").unwrap();
    assert_eq!(
        found.iter().map(|p| p.optional).collect::<Vec<_>>(),
        [false, true]
    );
    assert!(parse("{*c}").unwrap()[0].catch_all);
}

#[test]
fn faults_say_where_they_are() {
    refused("a/{b", 3, "never closed");
    refused("a/b}", 4, "closes no");
    refused("a//b", 3, "must not be empty");
    refused("a?x=1", 2, "query");
    refused("~a", 1, "followed by `/`");
    refused("a/{}", 4, "must have a name");
    refused("{a}/{A}", 5, "twice");
    refused("{a}{b}", 4, "between");
    refused("{a*}", 3, "must not contain `*`");
    refused("{a{b}", 3, "inside a placeholder");
    refused("{***a}", 4, "must not contain `*`");
    refused("{a=1?}", 3, "default");
    refused("{*a}/b", 1, "last segment");
    refused("x{*a}", 2, "alone");
    refused("{*a?}", 1, "must not have a `?`");
    refused("{a?}b", 5, "last of its segment");
    refused("a{b?}", 2, "alone in its segment");
    refused("{a}-{b?}", 5, "follow a placeholder");
    refused("Admin/x", 1, "must not begin with `Admin`");
    refused("/runtime", 2, "runtime");
    assert!(parse("administrators/{id}").is_ok());
    assert!(parse("x/admin").is_ok());
}

#[test]
fn constraint_faults_say_what_to_write() {
    refused("{a:itn}", 4, "did you mean `int`");
    refused("{a:}", 4, "unknown constraint ``");
    refused("{a:int(4)}", 4, "`int` must be written without");
    refused("{a:min}", 4, "`min(4)`");
    refused("{a:min(x)}", 4, "`min(4)`");
    refused("{a:length(-1)}", 4, "`length(4)` or `length(4,8)`");
    refused("{a:length(8,4)}", 4, "must not be above");
    refused("{a:range(1)}", 4, "`range(4,8)`");
    refused("{a:regex()}", 4, "`regex(expression)`");
    refused("{a:regex(x}", 9, "never closed");
}

/// No text makes the parser panic or go on for ever, and what it accepts it accepts again when
/// the outer slashes are cut.
#[test]
fn any_text_is_either_accepted_or_refused() {
    const PIECES: [&str; 16] = [
        "{", "}", "{{", "}}", "/", "?", "*", "a", "é", ":", "=", "(", ")", ".", "int", "{b}",
    ];
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    for _ in 0..200_000 {
        let mut route = String::new();
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        for piece in 0..state % 12 {
            route.push_str(PIECES[(state >> (5 * piece) & 15) as usize]);
        }
        match parse(&route) {
            Ok(found) => assert_eq!(
                parse(route.trim_matches('/')).as_ref(),
                Ok(&found),
                "{route}"
            ),
            Err(faults) => {
                assert!(!faults.is_empty());
                let length = route.chars().count();
                assert!(
                    faults
                        .iter()
                        .all(|f| (1..=length + 1).contains(&f.position)),
                    "{route}"
                );
            }
        }
    }
}
