//! Arbitrary templates and paths.

use proptest::prelude::*;

use super::spec;
use crate::routes::{Table, Template};

proptest! {
    #[test]
    fn nothing_panics(text in "\\PC{0,40}", path in "\\PC{0,40}") {
        let _ = Template::parse(&text).map(|template| template.matches(&path).is_some());
        let _ = Table::build(&text, true, vec![spec("F", &path, &[])]);
    }

    #[test]
    fn near_templates_do_not_panic(
        text in "(/|~/)?([{}/*:=?.a()1é]|int|\\{a\\}|\\{b:int\\?\\}){0,12}",
        path in "/([/a.1é]|%2[Ff]|%C3%A9|%[0-9A-F]){0,12}",
    ) {
        if let Ok(template) = Template::parse(&text) {
            let names = template.names().count();
            if let Some(values) = template.matches(&path) {
                prop_assert_eq!(values.len(), names);
            }
            prop_assert!(Template::parse(template.text()).is_ok());
        }
        if let Ok(table) = Table::build("", false, vec![spec("F", &text, &[])]) {
            let _ = table.find("GET", &path);
        }
    }

    /// The index finds what trying every template in order finds.
    #[test]
    fn index_agrees_with_a_scan(
        routes in proptest::collection::vec("([aA]|\\{x\\}|b|\\{x=b\\})(/([aAb]|\\{y\\}|\\{z\\?\\}|\\{\\*w\\}))?", 1..8),
        path in "(/[aAb]){0,3}/?",
    ) {
        let specs: Vec<_> = routes.iter().enumerate().map(|(number, route)| {
            let method = format!("M{number}");
            let mut spec = spec(&format!("F{number}"), route, &[&method]);
            spec.methods.push(if number % 2 == 0 { "EVEN" } else { "ODD" }.to_owned());
            spec
        }).collect();
        if let Ok(table) = Table::build("", false, specs) {
            for method in ["EVEN", "ODD"] {
                let scanned = table.iter().find(|route| route.allows(method) && route.template().matches(&path).is_some());
                let found = table.find(method, &path).map(|found| found.target.as_str());
                prop_assert_eq!(found, scanned.map(|route| route.function()));
            }
        }
    }
}
