//! `storageProvider.durability`: what a commit has to survive.

use durable_runtime::store::sqlite::Durability;

use super::config::Config;

const KEY: &str = "extensions.durableTask.storageProvider.durability";

/// As configuration says, and what is to be said of it.
pub(super) fn read(config: &mut Config<'_>) -> (Durability, Option<String>) {
    let given = config.get(KEY, "`full` or `relaxed`", |text| {
        match text.to_ascii_lowercase().as_str() {
            "full" => Some(Durability::Full),
            "relaxed" => Some(Durability::Relaxed),
            _ => None,
        }
    });
    let durability = given.unwrap_or_default();
    let notice = match durability {
        Durability::Relaxed => Some(format!(
            "`{KEY}` is `relaxed`: a power failure may undo the last commits, though the death of this process undoes none"
        )),
        _ => None,
    };
    (durability, notice)
}

/// As `host.json` writes it.
pub(super) const fn name(durability: Durability) -> &'static str {
    match durability {
        Durability::Relaxed => "relaxed",
        _ => "full",
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::Variables;
    use super::*;

    fn told(text: &str, variables: &Variables) -> (Durability, Option<String>, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("host.json"), text).unwrap();
        let mut config = Config::read(folder.path(), variables).unwrap();
        let (durability, notice) = read(&mut config);
        let faults = config.take_faults().into_iter();
        let shown = faults.map(|fault| fault.rsplit_once('/').unwrap_or(("", &fault)).1.to_owned());
        (durability, notice, shown.collect())
    }

    fn in_file(value: &str) -> String {
        format!(
            r#"{{"version":"2.0","extensions":{{"durableTask":{{"storageProvider":{{"durability":{value}}}}}}}}}"#
        )
    }

    #[test]
    fn the_file_and_the_environment_say_it_and_less_than_full_is_said() {
        let none = Variables::default();
        let (durability, notice, faults) = told(r#"{"version":"2.0"}"#, &none);
        assert_eq!(
            (durability, notice, faults.len()),
            (Durability::Full, None, 0)
        );
        let (durability, notice, faults) = told(&in_file(r#""Relaxed""#), &none);
        assert_eq!((durability, faults.len()), (Durability::Relaxed, 0));
        assert!(notice.unwrap().contains("a power failure may undo"));
        let name = "AzureFunctionsJobHost__extensions__durableTask__storageProvider__durability";
        let full = Variables::of([(name.to_owned(), "full".to_owned())]);
        let (durability, notice, faults) = told(&in_file(r#""relaxed""#), &full);
        assert_eq!(
            (durability, notice, faults.len()),
            (Durability::Full, None, 0)
        );
    }

    #[test]
    fn another_word_is_a_fault_that_names_place_key_value_and_words() {
        let none = Variables::default();
        let (durability, _, faults) = told(&in_file(r#""off""#), &none);
        assert_eq!(durability, Durability::Full);
        assert_eq!(
            faults,
            [
                "host.json:1: `extensions.durableTask.storageProvider.durability` is `off`, expected `full` or `relaxed`"
            ]
        );
        let name = "AzureFunctionsJobHost__extensions__durableTask__storageProvider__durability";
        let wrong = Variables::of([(name.to_owned(), "normal".to_owned())]);
        let (_, _, faults) = told("", &wrong);
        assert_eq!(
            faults,
            [format!(
                "the setting `{name}` is `normal`, expected `full` or `relaxed`"
            )]
        );
    }
}
