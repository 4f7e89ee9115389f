//! The table of all routes of an app.

use super::check;
use super::index::Index;
use super::template::{Template, Values};

/// A route as its function declares it; `T` is what it leads to.
#[derive(Debug, Clone)]
pub(crate) struct RouteSpec<T> {
    /// The name of the function.
    pub(crate) function: String,
    /// The template without the prefix; blank for the name of the function.
    pub(crate) route: String,
    /// The methods in upper case; none for all.
    pub(crate) methods: Vec<String>,
    /// What the route leads to.
    pub(crate) target: T,
}

/// A route of the table.
#[derive(Debug)]
pub(crate) struct Route<T> {
    pub(super) function: String,
    pub(super) template: Template,
    pub(super) methods: Vec<String>,
    pub(crate) target: T,
}

/// Where a request leads.
#[derive(Debug)]
pub(crate) struct Match<'t, T> {
    /// What the route leads to.
    pub(crate) target: &'t T,
    /// The placeholders as the template names them, with their decoded values or defaults.
    pub(crate) values: Values<'t>,
}

/// All routes, in the order in which they are tried.
#[derive(Debug)]
pub(crate) struct Table<T> {
    routes: Vec<Route<T>>,
    index: Index,
}

impl<T> Table<T> {
    /// Reads and checks all routes.
    ///
    /// # Errors
    ///
    /// One text for every template that cannot be read, is reserved, or is another function's already.
    pub(crate) fn build(
        prefix: &str,
        most_specific_first: bool,
        routes: Vec<RouteSpec<T>>,
    ) -> Result<Table<T>, Vec<String>> {
        let mut routes = check::all(prefix, routes)?;
        if most_specific_first {
            routes.sort_by_cached_key(|route| route.template.specificity());
        }
        let mut index = Index::default();
        for (number, route) in routes.iter().enumerate() {
            index.add(&route.template, number);
        }
        Ok(Table { routes, index })
    }

    /// Where a request of `method` for `path` leads; the path is percent-encoded and starts with `/`.
    pub(crate) fn find(&self, method: &str, path: &str) -> Option<Match<'_, T>> {
        let bare = path.strip_prefix('/')?;
        self.index.first(bare, |number| {
            let route = self.routes.get(number)?;
            if !route.allows(method) {
                return None;
            }
            let values = route.template.matches(path)?;
            let target = &route.target;
            Some(Match { target, values })
        })
    }

    /// The routes, in the order in which they are tried.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Route<T>> {
        self.routes.iter()
    }
}

impl<T> Route<T> {
    /// The name of the function.
    pub(crate) fn function(&self) -> &str {
        &self.function
    }

    /// The template, prefix and all: `/api/x/{y}`.
    pub(crate) fn template(&self) -> &Template {
        &self.template
    }

    /// The methods in upper case; none for all.
    pub(crate) fn methods(&self) -> &[String] {
        &self.methods
    }

    /// Whether requests of `method` are the route's.
    pub(crate) fn allows(&self, method: &str) -> bool {
        self.methods.is_empty() || self.methods.iter().any(|allowed| allowed == method)
    }
}
