//! `logging.logLevel.default`: how much is logged, unless `RUST_LOG` says it.

use std::collections::BTreeMap;
use std::path::Path;

use tracing::level_filters::LevelFilter;

use super::config::Config;
use super::settings::Told;

const DEFAULT: &str = "logging.logLevel.default";
const EXPECTED: &str = "`Trace`, `Debug`, `Information`, `Warning`, `Error`, `Critical` or `None`";

/// Read before everything else, since all else may log; what is wrong is said by whoever reads it all.
pub(super) fn told(given: &BTreeMap<String, String>, root: &Path) -> Option<LevelFilter> {
    let (environment, _) = Told::environment(given, root).ok()?;
    let mut config = Config::read(root, &environment).ok()?;
    read(&mut config)
}

/// The level that is asked for. A malformed one becomes a fault.
pub(super) fn read(config: &mut Config<'_>) -> Option<LevelFilter> {
    config.get(DEFAULT, EXPECTED, |text| {
        let level = match &*text.to_ascii_lowercase() {
            "trace" => LevelFilter::TRACE,
            "debug" => LevelFilter::DEBUG,
            "information" => LevelFilter::INFO,
            "warning" => LevelFilter::WARN,
            "error" | "critical" => LevelFilter::ERROR,
            "none" => LevelFilter::OFF,
            _ => return None,
        };
        Some(level)
    })
}

/// What is said of levels of single categories, which are those of another host.
pub(super) fn unused(config: &mut Config<'_>) -> Vec<String> {
    let levels = config.members("logging.logLevel");
    let others = levels
        .iter()
        .filter(|(name, _)| !name.eq_ignore_ascii_case("default"));
    others
        .map(|(name, level)| {
            format!(
                "`logging.logLevel.{name}` is `{level}`, which is accepted and changes nothing: `default` counts for all, and `RUST_LOG` tells modules apart"
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_level_is_what_host_json_says() {
        let folder = tempfile::tempdir().unwrap();
        let none = BTreeMap::new();
        assert_eq!(told(&none, folder.path()), None);
        let text = r#"{"version":"2.0","logging":{"logLevel":{"default":"Warning","Function.Hello":"Debug"}}}"#;
        std::fs::write(folder.path().join("host.json"), text).unwrap();
        assert_eq!(told(&none, folder.path()), Some(LevelFilter::WARN));
        let name = "AzureFunctionsJobHost__logging__logLevel__default";
        let given = BTreeMap::from([(name.to_owned(), "None".to_owned())]);
        assert_eq!(told(&given, folder.path()), Some(LevelFilter::OFF));
        let read = Told::read(&none, folder.path()).unwrap();
        let said =
            "`logging.logLevel.Function.Hello` is `Debug`, which is accepted and changes nothing";
        assert!(
            read.warnings
                .iter()
                .any(|warning| warning.starts_with(said))
        );
    }

    #[test]
    fn a_level_that_is_none_is_a_fault() {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"{"version":"2.0","logging":{"logLevel":{"default":"Loud"}}}"#;
        std::fs::write(folder.path().join("host.json"), text).unwrap();
        let told = Told::read(&BTreeMap::new(), folder.path()).unwrap();
        let fault = "`logging.logLevel.default` is `Loud`, expected `Trace`";
        assert!(told.faults[0].contains(fault), "{:?}", told.faults);
    }
}
