//! Which keys a path names. Pure.

use url::form_urlencoded;

use crate::keys::Scope;

/// Keys of a scope, or one of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) scope: Scope,
    pub(super) name: Option<String>,
}

impl Target {
    /// `None` for every path that names no keys.
    pub(super) fn of(decoded: &[String]) -> Option<Self> {
        let segments: Vec<&str> = decoded.iter().map(String::as_str).collect();
        let (scope, rest) = match segments.as_slice() {
            [admin, host, scope, rest @ ..] if is(admin, "admin") && is(host, "host") => {
                (host_scope(scope)?, rest)
            }
            [admin, functions, function, keys, rest @ ..]
                if is(admin, "admin") && is(functions, "functions") && is(keys, "keys") =>
            {
                (Scope::function(function), rest)
            }
            _ => return None,
        };
        match rest {
            [] => Some(Self { scope, name: None }),
            [name] if !name.is_empty() => Some(Self {
                scope,
                name: Some((*name).to_owned()),
            }),
            _ => None,
        }
    }
}

fn is(segment: &str, word: &str) -> bool {
    segment.eq_ignore_ascii_case(word)
}

fn host_scope(text: &str) -> Option<Scope> {
    if is(text, "keys") || is(text, "functionkeys") {
        Some(Scope::Host)
    } else {
        is(text, "systemkeys").then_some(Scope::System)
    }
}

/// The segments of a path; `+` is no space here.
pub(super) fn decoded(path: &str) -> Vec<String> {
    let decode = |segment: &str| {
        let text = segment
            .replace('+', "%2B")
            .replace('=', "%3D")
            .replace('&', "%26");
        let first = form_urlencoded::parse(text.as_bytes()).next();
        first.map_or_else(String::new, |(text, _)| text.into_owned())
    };
    path.trim_matches('/').split('/').map(decode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_keys_in_any_case() {
        let function = || Scope::function("HttpTrigger");
        for (path, expected) in [
            ("/admin/host/keys", Some((Scope::Host, None))),
            ("/Admin/Host/FunctionKeys/", Some((Scope::Host, None))),
            (
                "/admin/host/systemkeys/_master",
                Some((Scope::System, Some("_master"))),
            ),
            ("/admin/host/otherkeys", None),
            ("/admin/host", None),
            (
                "/admin/functions/HttpTrigger/keys",
                Some((function(), None)),
            ),
            (
                "/admin/functions/httptrigger/keys/a%20b+c",
                Some((function(), Some("a b+c"))),
            ),
            ("/admin/functions/HttpTrigger/keys/a/b", None),
            ("/admin/functions/HttpTrigger", None),
            ("/other/host/keys", None),
        ] {
            let target = Target::of(&decoded(path)).map(|target| (target.scope, target.name));
            let expected = expected.map(|(scope, name)| (scope, name.map(str::to_owned)));
            assert_eq!(target, expected, "{path}");
        }
    }
}
