//! Names of task hubs (orchestration.md 0.2 of the reference).

/// What an explicit name must be, for messages.
pub(crate) const EXPECTED: &str = "3 to 45 letters and digits, a letter first";

/// Whether an explicit name keeps the rules: 3..=45 letters and digits, a letter first.
pub(crate) fn is_valid(name: &str) -> bool {
    (3..=45).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// A valid name made of a program's.
pub(crate) fn derive(name: &str) -> String {
    let mut hub: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    if hub.is_empty() {
        return "DefaultTaskHub".to_owned();
    }
    if hub.starts_with(|c: char| c.is_ascii_digit()) {
        hub.insert(0, 't');
    }
    if hub.len() < 3 {
        hub.push_str("Hub");
    }
    hub.truncate(45);
    hub
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explicit_names_that_break_the_rules_are_rejected() {
        for name in [
            "Task-Hub-Name-Test",
            "1TaskHubNameTest",
            "/TaskHubNameTest",
            "-taskhubnametest",
            "ab",
            &"a".repeat(46),
        ] {
            assert!(!is_valid(name), "{name}");
        }
        assert!(is_valid("SampleHubVS") && is_valid(&"a".repeat(45)));
    }

    #[test]
    fn derived_names_are_sanitised() {
        let vectors = [
            ("Task-Hub-Name-Test", "TaskHubNameTest"),
            ("1TaskHubNameTest", "t1TaskHubNameTest"),
            ("-taskhubnametest", "taskhubnametest"),
            ("-1taskhubnametest", "t1taskhubnametest"),
            ("--------", "DefaultTaskHub"),
            ("bb", "bbHub"),
        ];
        for (name, expected) in vectors {
            assert_eq!(derive(name), expected);
            assert!(is_valid(&derive(name)));
        }
    }
}
