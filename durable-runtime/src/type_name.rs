//! Names of types as users know them.

/// Crates of which users see the facade alone.
const OURS: [&str; 2] = ["durable_runtime::", "durable_http::"];

/// The name of a type; one of ours, also inside of another, by the path under which it can be written, not by the module that it lies in.
pub(crate) fn type_name<T: ?Sized>() -> String {
    public(std::any::type_name::<T>())
}

fn public(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    let mut rest = name;
    while !rest.is_empty() {
        let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        let (path, behind) = rest.split_at(rest.find(|c| !is_path(c)).unwrap_or(rest.len()));
        let last = path.rsplit("::").next().unwrap_or_default();
        match OURS.iter().any(|ours| path.starts_with(ours)) && !last.is_empty() {
            true => text.extend(["durable_functions::", last]),
            false => text.push_str(path),
        }
        let between = behind.find(is_path).unwrap_or(behind.len());
        let (between, after) = behind.split_at(between);
        text.push_str(between);
        rest = after;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EntityId, TaskError};

    #[test]
    fn types_of_ours_go_by_the_name_that_users_write() {
        assert_eq!(type_name::<TaskError>(), "durable_functions::TaskError");
        assert_eq!(
            type_name::<Option<(EntityId, &[u8])>>(),
            "core::option::Option<(durable_functions::EntityId, &[u8])>"
        );
    }

    #[test]
    fn other_types_keep_theirs() {
        for name in [
            "core::num::error::ParseIntError",
            "shop::durable_http::Order",
            "dyn std::error::Error + Send",
            "durable_functions::TaskError",
            "durable_runtime::x::{{closure}}",
            "alloc::vec::Vec<shop::Order>",
            "",
        ] {
            assert_eq!(public(name), name);
        }
    }
}
