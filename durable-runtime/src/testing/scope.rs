//! Which of the program's functions a test is about.

use crate::error::{Error, Result};
use crate::registry::{Registration, Registry};

/// The functions at or below a module. A module without functions, such as `mod tests`, stands for the nearest one around it that has some.
pub(super) fn within(module: &str) -> Result<Vec<&'static Registration>> {
    let all: Vec<&Registration> = inventory::iter::<Registration>.into_iter().collect();
    let mut scope = module;
    loop {
        let below = all.iter().filter(|one| is_at_or_below(one.module, scope));
        let found: Vec<&Registration> = below.copied().collect();
        if !found.is_empty() {
            return Ok(found);
        }
        match scope.rsplit_once("::") {
            Some((around, _)) => scope = around,
            None => {
                let text = format!(
                    "no function is registered at or below `{module}`, nor around it: \
                     give `module_path!()` of the functions, or take `TestHost::new()` for those of every linked crate"
                );
                return Err(Error::msg(text));
            }
        }
    }
}

/// The functions of every linked crate; those in or near `module` win where names are taken twice.
pub(super) fn nearest(module: &str) -> Registry {
    let mut all: Vec<&Registration> = inventory::iter::<Registration>.into_iter().collect();
    all.sort_by_key(|one| std::cmp::Reverse(shared(one.module, module)));
    let mut kept: Vec<&Registration> = Vec::new();
    let mut registry = Registry::default();
    for one in all {
        kept.push(one);
        match Registry::of(kept.iter().copied()) {
            Ok(larger) => registry = (*larger).clone(),
            Err(_) => drop(kept.pop()),
        }
    }
    registry
}

fn is_at_or_below(module: &str, scope: &str) -> bool {
    module
        .strip_prefix(scope)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// How many segments two paths begin with in common.
fn shared(one: &str, other: &str) -> usize {
    let both = one.split("::").zip(other.split("::"));
    both.take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn below_is_by_whole_segments() {
        for (module, scope, expected) in [
            ("a::b", "a::b", true),
            ("a::b::c", "a::b", true),
            ("a::bc", "a::b", false),
            ("a", "a::b", false),
        ] {
            assert_eq!(is_at_or_below(module, scope), expected, "{module} {scope}");
        }
    }

    #[test]
    fn a_scope_without_functions_is_told() {
        let error = within("no_such_crate::tests").unwrap_err().to_string();
        assert!(error.contains("`no_such_crate::tests`"), "{error}");
    }
}
