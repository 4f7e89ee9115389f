//! Versions side by side: which function an instance may run on (spec 1.14).

use std::cmp::Ordering;

use crate::registry::{Orchestrator, Registry};

/// `versionMatchStrategy`: when the function that declares no version takes an instance that has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VersionMatch {
    /// Always.
    None,
    /// When the instance's version is the host's (`defaultVersion`).
    Strict,
    /// When the instance's version is the host's or an older one; always, if the host has none.
    #[default]
    CurrentOrOlder,
}

/// `versionFailureStrategy`: what becomes of an instance that no function here may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VersionFailure {
    /// It waits for a host that has one.
    #[default]
    Reject,
    /// It fails, with the type `VersionMismatch`.
    Fail,
}

impl VersionMatch {
    /// The function that an instance of that name and version runs on: the one of exactly its version, else the one without.
    pub(super) fn find<'a>(
        self,
        registry: &'a Registry,
        name: &str,
        version: &str,
        own: Option<&str>,
    ) -> Option<&'a Orchestrator> {
        let found = registry.orchestrator(name, version)?;
        let exact = found.spec.version.is_some() || version.is_empty();
        (exact || self.admits(version, own)).then_some(found)
    }

    fn admits(self, version: &str, own: Option<&str>) -> bool {
        match (self, own.filter(|own| !own.is_empty())) {
            (Self::None, _) | (Self::CurrentOrOlder, None) => true,
            (Self::Strict, own) => compare(version, own.unwrap_or_default()).is_eq(),
            (Self::CurrentOrOlder, Some(own)) => compare(version, own).is_le(),
        }
    }
}

/// Nothing is older than anything; parts between dots are compared as numbers where both are numbers, else as text without case.
fn compare(one: &str, other: &str) -> Ordering {
    let (mut ones, mut others) = (one.split('.'), other.split('.'));
    if one.is_empty() || other.is_empty() {
        return one.len().min(1).cmp(&other.len().min(1));
    }
    loop {
        let order = match (ones.next(), others.next()) {
            (None, None) => return Ordering::Equal,
            (a, b) => part(a.unwrap_or("0"), b.unwrap_or("0")),
        };
        if order.is_ne() {
            return order;
        }
    }
}

fn part(one: &str, other: &str) -> Ordering {
    match (one.parse::<u64>(), other.parse::<u64>()) {
        (Ok(one), Ok(other)) => one.cmp(&other),
        _ => one.to_lowercase().cmp(&other.to_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_their_numbers() {
        for (older, newer) in [
            ("", "0"),
            ("", "1.0"),
            ("1", "2"),
            ("1.9", "1.10"),
            ("1.0", "1.0.1"),
            ("2.0.0", "10.0.0"),
            ("1.a", "1.B"),
        ] {
            assert_eq!(compare(older, newer), Ordering::Less, "{older} {newer}");
            assert_eq!(compare(newer, older), Ordering::Greater, "{newer} {older}");
        }
        for (one, other) in [("", ""), ("1", "1.0"), ("1.0", "1.0"), ("2.X", "2.x")] {
            assert_eq!(compare(one, other), Ordering::Equal, "{one} {other}");
        }
    }

    #[test]
    fn the_function_without_version_takes_what_the_strategy_admits() {
        use VersionMatch::{CurrentOrOlder, None, Strict};
        for (strategy, version, own, expected) in [
            (None, "9", Some("1"), true),
            (Strict, "1.0", Some("1.0"), true),
            (Strict, "0.9", Some("1.0"), false),
            (Strict, "1.0", Option::None, false),
            (CurrentOrOlder, "0.9", Some("1.0"), true),
            (CurrentOrOlder, "1.0", Some("1.0"), true),
            (CurrentOrOlder, "1.1", Some("1.0"), false),
            (CurrentOrOlder, "1.1", Option::None, true),
        ] {
            let admits = strategy.admits(version, own);
            assert_eq!(admits, expected, "{strategy:?} {version} {own:?}");
        }
    }
}
