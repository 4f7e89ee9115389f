//! What is checked before a table of routes is used; all that is wrong is told at once.

use std::collections::HashMap;

use super::table::{Route, RouteSpec};
use super::template::Template;

const RESERVED: [&str; 2] = ["admin", "runtime"];
/// Stands in for a prefix that is wrong itself, so that the routes can be checked all the same.
const STAND_IN: &str = "api";

/// Reads all routes and sorts them by the name of the function, case aside.
pub(super) fn all<T>(
    prefix: &str,
    mut specs: Vec<RouteSpec<T>>,
) -> Result<Vec<Route<T>>, Vec<String>> {
    specs.sort_by_cached_key(|spec| spec.function.to_uppercase());
    let mut faults = Vec::new();
    let prefix = match prefix_fault(prefix) {
        None => prefix.trim_matches('/'),
        Some(fault) => {
            faults.push(fault);
            STAND_IN
        }
    };
    let mut routes = Vec::with_capacity(specs.len());
    for spec in specs {
        match read(prefix, spec) {
            Ok(route) => routes.push(route),
            Err(fault) => faults.push(fault),
        }
    }
    faults.extend(conflicts(&routes));
    if faults.is_empty() {
        Ok(routes)
    } else {
        Err(faults)
    }
}

fn prefix_fault(prefix: &str) -> Option<String> {
    match Template::parse(prefix.trim_matches('/')) {
        Err(error) => Some(format!("the route prefix cannot be read: {error}")),
        Ok(template) => reserved(&template).map(|segment| {
            format!(
                "the route prefix `{prefix}` starts with `{segment}`, which is the host's own; choose another, such as \
                 `api`"
            )
        }),
    }
}

fn read<T>(prefix: &str, spec: RouteSpec<T>) -> Result<Route<T>, String> {
    let function = spec.function;
    let template = template(prefix, &function, &spec.route)?;
    if let Some(segment) = reserved(&template) {
        let text = template.text();
        return Err(format!(
            "function `{function}`: the path `{text}` starts with `{segment}`, which is the host's own; write a route \
             that starts with another segment"
        ));
    }
    Ok(Route {
        function,
        template,
        methods: spec.methods,
        target: spec.target,
    })
}

fn template(prefix: &str, function: &str, route: &str) -> Result<Template, String> {
    let route = if route.trim().is_empty() {
        function
    } else {
        route.trim_matches('/')
    };
    let unreadable = |error| format!("function `{function}`: the route cannot be read: {error}");
    let own = Template::parse(route).map_err(unreadable)?;
    if prefix.is_empty() {
        return Ok(own);
    }
    let whole = format!("{prefix}/{route}");
    Template::parse(&whole).map_err(unreadable)
}

/// The first segment of the template, if no function may have it.
fn reserved(template: &Template) -> Option<&str> {
    template.literals().next().filter(|first| {
        RESERVED
            .iter()
            .any(|reserved| reserved.eq_ignore_ascii_case(first))
    })
}

/// A text for every route that an earlier function has, too.
fn conflicts<T>(routes: &[Route<T>]) -> Vec<String> {
    let mut seen: HashMap<String, Vec<&Route<T>>> = HashMap::new();
    let mut faults = Vec::new();
    for route in routes {
        let earlier = seen
            .entry(route.template.text().to_lowercase())
            .or_default();
        faults.extend(earlier.iter().find_map(|other| conflict(other, route)));
        earlier.push(route);
    }
    faults
}

fn conflict<T>(earlier: &Route<T>, route: &Route<T>) -> Option<String> {
    let shared = if route.methods.is_empty() {
        earlier
            .methods
            .first()
            .map_or("all methods", String::as_str)
    } else {
        route
            .methods
            .iter()
            .find(|method| earlier.allows(method))?
            .as_str()
    };
    let (function, text, other) = (&route.function, route.template.text(), &earlier.function);
    Some(format!(
        "function `{function}`: the route `{text}` is that of function `{other}` as well, for {shared}; give one of \
         them another route or other methods"
    ))
}
