//! What templates cannot be read, and what those that can match.

use super::{ALL, GET, built, faults, found, table};
use crate::routes::Template;

#[test]
fn most_specific_first() {
    let routes = [
        "{*all}",
        "{*all:int}",
        "{a}",
        "{a:int}",
        "{a}-{b}",
        "a",
        "a/b",
    ];
    let mut ranked: Vec<_> = routes
        .iter()
        .map(|route| Template::parse(route).unwrap())
        .collect();
    ranked.sort_by_key(Template::specificity);
    let texts: Vec<_> = ranked.iter().map(Template::text).collect();
    assert_eq!(
        texts,
        [
            "/a",
            "/a/b",
            "/{a:int}",
            "/{a}-{b}",
            "/{a}",
            "/{*all:int}",
            "/{*all}"
        ]
    );
}

/// Vector 70: what cannot be read, at which character, and a word of the text.
#[test]
fn malformed() {
    let vectors = [
        ("x/{", 3, "nothing closes"),
        ("x/{a", 3, "nothing closes"),
        ("x/a}b", 4, "closes nothing"),
        ("x/{a{b}", 5, "inside a placeholder"),
        ("{x:foo}", 1, "no constraint `foo`"),
        ("{x:}", 1, "no constraint follows"),
        ("{x:int(3)}", 1, "takes nothing"),
        ("{x:min}", 1, "`min(18)`"),
        ("{x:min(a)}", 1, "`min(18)`"),
        ("{x:min(1}", 1, "parenthesis"),
        ("{x:range(3,1)}", 1, "range(18,120)"),
        ("{x:length(-1)}", 1, "length(3,5)"),
        ("{x:regex(()}", 1, "pattern"),
        ("{x:regex()}", 1, "needs a pattern"),
        ("é//b", 3, "empty"),
        ("a?b", 2, "`?`"),
        ("{}", 1, "no name"),
        ("{a*b}", 1, "holds `*`"),
        ("{a?:int}", 1, "holds `?`"),
        ("{***a}", 1, "one or two stars"),
        ("{*a?}", 1, "remove its `?`"),
        ("{a=1?}", 1, "default"),
        ("{a}/{A}", 5, "already"),
        ("{a}{b}", 1, "nothing separates"),
        ("x/{*a}/b", 8, "comes last"),
        ("x{*a}", 1, "shares its segment"),
        ("{a}-{b?}", 1, "cannot be optional"),
        ("{a?}.x", 1, "cannot be optional"),
        ("~x", 1, "`~`"),
    ];
    for (text, at, word) in vectors {
        let error = Template::parse(text).unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains(&format!("`{text}`, character {at}: ")),
            "{error}"
        );
        assert!(error.contains(word), "{error}");
    }
    let all = faults(&[("A", "x/{", ALL), ("C", "y", ALL), ("B", "{x:foo}", ALL)]);
    assert_eq!(all.len(), 2, "{all:?}");
    assert!(
        all[0].starts_with("function `A`: the route cannot be read: `x/{`, character 3: "),
        "{all:?}"
    );
    let prefix = built("{", false, &[("A", "{", ALL)]).unwrap_err();
    assert_eq!(prefix.len(), 2, "{prefix:?}");
}

#[test]
fn values_and_literals() {
    let vectors = [
        ("{a}", "/x%20y%2Fz%c3%a9", "F a=x y%2Fzé"),
        ("{a}", "/%ff%41%2", "F a=%ffA%2"),
        ("caf%C3%A9", "/caf", "404"),
        ("café/{a}", "/CAF%C3%89/1", "F a=1"),
        ("a{{b}}", "/A%7Bb%7D", "F"),
        ("{a?}/{b}", "/x", "404"),
        ("{a=1}/{b:int=2}", "/", "F a=1 b=2"),
        ("{b:int=x}", "/", "404"),
        ("{b=}", "/", "F b="),
        ("{b:required=}", "/", "404"),
        ("{a=x:y=z}", "/", "F a=x:y=z"),
        ("f/{**p}", "/f/a%2Fb//c/", "F p=a%2Fb//c/"),
        ("f/{*p}", "/f/", "F p=-"),
        ("f/{*p=d}", "/f", "F p=d"),
        ("f/{*p:nonfile}", "/f", "F p=-"),
        ("f/{*p:int}", "/f", "404"),
        ("a", "/a//", "404"),
        ("{a}", "//a", "404"),
        ("{a?}", "", "404"),
        ("a", "*", "404"),
        ("{a}.{b?}", "/a.", "404"),
        ("{a}.{b?}", "/.b", "F a=.b b=-"),
        ("{a}.{b:int?}", "/x.y", "404"),
        ("v{a}-{b}x", "/V1-2-3X", "F a=1-2 b=3"),
        ("v{a}", "/v", "404"),
        ("v{a}", "/wv1", "404"),
        ("{a}v", "/1vw", "404"),
        ("{a}aa{b}", "/aaaaa", "F a=aa b=a"),
        ("{a}.{b}", "/", "404"),
    ];
    for (route, path, expected) in vectors {
        let table = table("", &[("F", route, GET)]);
        assert_eq!(
            found(&table, &format!("GET {path}")),
            expected,
            "{route} {path}"
        );
    }
}

#[test]
fn names_of_placeholders() {
    let template = Template::parse("/x/{a:int}-{b}/{*c}/").unwrap();
    assert_eq!(template.names().collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(template.text(), "/x/{a:int}-{b}/{*c}");
}
