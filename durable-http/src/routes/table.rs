//! [`Table`]: all routes of a host, in the order in which they are tried.

use std::collections::HashMap;
use std::fmt;

use super::matching::{decode, segments};
use super::template::{Segment, Template};

/// One route, as a function declares it.
#[derive(Debug)]
pub(crate) struct RouteSpec<T> {
    pub(crate) function: String,
    pub(crate) route: String,
    /// Upper case; empty: all.
    pub(crate) methods: Vec<String>,
    pub(crate) target: T,
}

/// One route, ready to be matched.
pub(crate) struct Route<T> {
    /// With prefix and a leading slash.
    pub(crate) text: String,
    pub(crate) target: T,
    function: String,
    methods: Vec<String>,
    template: Template,
}

/// All routes, in the order of the functions' names without case (D3 of the reference), or the most specific first.
pub(crate) struct Table<T> {
    routes: Vec<Route<T>>,
    /// Indexes of the routes to try, by the leading literals of their templates in lower case.
    by_literal: HashMap<String, Vec<usize>>,
    /// Those whose templates begin with a parameter.
    others: Vec<usize>,
    /// How many leading literals the longest key has.
    depth: usize,
}

/// Where a request leads.
pub(crate) struct Match<'t, T> {
    pub(crate) target: &'t T,
    /// Decoded; `None`: an optional one that is absent.
    pub(crate) values: Vec<(&'t str, Option<String>)>,
}

impl<T> fmt::Debug for Table<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.routes.iter().map(|route| &route.text))
            .finish()
    }
}

impl<T> Table<T> {
    /// Parses every template; `Err` holds all faults.
    pub(crate) fn build(
        prefix: &str,
        most_specific_first: bool,
        specs: Vec<RouteSpec<T>>,
    ) -> Result<Self, Vec<String>> {
        let (mut routes, mut faults) = (Vec::new(), Vec::new());
        for spec in specs {
            match route_of(prefix, spec) {
                Ok(route) => routes.push(route),
                Err(fault) => faults.push(fault),
            }
        }
        routes.sort_by_key(|route| route.function.to_lowercase());
        faults.extend(conflicts(&routes));
        if !faults.is_empty() {
            return Err(faults);
        }
        if most_specific_first {
            routes.sort_by_key(|route| std::cmp::Reverse(specificity(&route.template)));
        }
        let mut table = Self {
            routes,
            by_literal: HashMap::new(),
            others: Vec::new(),
            depth: 0,
        };
        table.index();
        Ok(table)
    }

    fn index(&mut self) {
        for (index, route) in self.routes.iter().enumerate() {
            let literals = leading(&route.template);
            if literals.is_empty() && !route.template.segments.is_empty() {
                self.others.push(index);
                continue;
            }
            self.depth = self.depth.max(literals.len());
            self.by_literal
                .entry(literals.join("/"))
                .or_default()
                .push(index);
        }
    }

    /// The first route that fits; a method that it does not serve is no fit (D2).
    pub(crate) fn find(&self, method: &str, path: &str) -> Option<Match<'_, T>> {
        let segments = segments(path)?;
        let mut best: Option<(usize, Vec<(&str, Option<String>)>)> = None;
        let mut try_all = |indexes: &[usize]| {
            for &index in indexes {
                if best.as_ref().is_some_and(|(found, _)| *found < index) {
                    return;
                }
                let Some(route) = self.routes.get(index) else {
                    return;
                };
                let serves =
                    route.methods.is_empty() || route.methods.iter().any(|other| other == method);
                if let Some(values) = route.template.matches(&segments).filter(|_| serves) {
                    best = Some((index, values));
                    return;
                }
            }
        };
        let mut key = String::with_capacity(path.len());
        if let Some(indexes) = self.by_literal.get("") {
            try_all(indexes);
        }
        for segment in segments.iter().take(self.depth) {
            if !key.is_empty() {
                key.push('/');
            }
            key.push_str(&decode(segment).to_lowercase());
            if let Some(indexes) = self.by_literal.get(&key) {
                try_all(indexes);
            }
        }
        try_all(&self.others);
        let (index, values) = best?;
        Some(Match {
            target: &self.routes.get(index)?.target,
            values,
        })
    }

    /// All routes, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Route<T>> {
        self.routes.iter()
    }
}

fn leading(template: &Template) -> Vec<String> {
    let literals = template.segments.iter().map_while(|segment| match segment {
        Segment::Literal(literal) => Some(literal.to_lowercase()),
        _ => None,
    });
    literals.collect()
}

/// Literals before constrained parameters before free ones before catch-alls, segment by segment.
fn specificity(template: &Template) -> Vec<u8> {
    let rank = |segment: &Segment| match segment {
        Segment::Literal(_) => 4,
        Segment::Complex(_) => 3,
        Segment::Param(param) if !param.constraints.is_empty() => 2,
        Segment::Param(_) => 1,
        Segment::CatchAll(_) => 0,
    };
    template.segments.iter().map(rank).collect()
}

fn route_of<T>(prefix: &str, spec: RouteSpec<T>) -> Result<Route<T>, String> {
    let RouteSpec {
        function,
        route,
        methods,
        target,
    } = spec;
    let whole = format!(
        "{}/{}",
        prefix.trim_matches('/'),
        route.trim_start_matches("~/").trim_matches('/')
    );
    let template = Template::parse(&whole)
        .map_err(|fault| format!("the function `{function}` has the route `{route}`: {fault}"))?;
    let reserved = match template.segments.first() {
        Some(Segment::Literal(first)) => ["admin", "runtime"]
            .into_iter()
            .find(|name| first.eq_ignore_ascii_case(name)),
        _ => None,
    };
    if let Some(name) = reserved {
        return Err(format!(
            "The specified route conflicts with one or more built in routes. (the function `{function}` has the route `/{}`; `/{name}` is the host's own)",
            template.text
        ));
    }
    Ok(Route {
        text: format!("/{}", template.text),
        target,
        function,
        methods,
        template,
    })
}

/// The same template and a method in common; the later of the two by name is at fault.
fn conflicts<T>(sorted: &[Route<T>]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut seen: HashMap<String, Vec<&Route<T>>> = HashMap::new();
    for route in sorted {
        let same = seen.entry(route.text.to_lowercase()).or_default();
        if let Some(other) = same
            .iter()
            .find(|other| methods_meet(&other.methods, &route.methods))
        {
            faults.push(format!(
                "The route specified conflicts with the route defined by function '{}'. (`{}` of the function `{}`; give one another route or other methods)",
                other.function, route.text, route.function
            ));
        }
        same.push(route);
    }
    faults
}

fn methods_meet(a: &[String], b: &[String]) -> bool {
    a.is_empty() || b.is_empty() || a.iter().any(|method| b.contains(method))
}
