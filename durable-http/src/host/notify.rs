//! Reads `extensions.durableTask.notifications.eventGrid`.

use std::time::Duration;

use durable_runtime::durable_http::redact_url;
use durable_runtime::model::LifecycleStep;
use reqwest::header::HeaderValue;
use url::Url;

use super::config::{Config, Variables, parse};
use crate::notifications::Settings;

const SECTION: &str = "extensions.durableTask.notifications.eventGrid";
const HOUR: Duration = Duration::from_secs(3600);

/// Who is told of lifecycle steps, if anybody is; what is malformed becomes a fault.
pub(super) fn read(config: &mut Config<'_>, variables: &Variables) -> Option<Settings> {
    let at = |name: &str| format!("{SECTION}.{name}");
    let key = key(config, &at("keySettingName"), variables);
    let retries = config.number(&at("publishRetryCount")).unwrap_or(0);
    let expected = "a time span such as `00:05:00`, of an hour at most";
    let interval = config.get(&at("publishRetryInterval"), expected, |text| {
        parse::span(text).filter(|span| *span <= HOUR)
    });
    let expected = "statuses such as `[400, 429]`";
    let retry_statuses = config.get(&at("publishRetryHttpStatus"), expected, statuses);
    let expected = "some of `Started`, `Completed`, `Failed` and `Terminated`, as a list";
    let steps = config.get(&at("publishEventTypes"), expected, steps);
    let text = config.text(&at("topicEndpoint"))?;
    let endpoint = Url::parse(text.trim()).ok();
    let Some(endpoint) = endpoint.filter(|url| matches!(url.scheme(), "http" | "https")) else {
        if !text.trim().is_empty() {
            let expected = "the URL of an endpoint, with http or https";
            config.fault(&at("topicEndpoint"), &redact_url(&text), expected);
        }
        return None;
    };
    Some(Settings {
        endpoint,
        key,
        retries,
        interval: interval.unwrap_or(Duration::from_secs(300)),
        retry_statuses: retry_statuses.unwrap_or_default(),
        steps: steps.unwrap_or_else(|| LifecycleStep::ALL.to_vec()),
    })
}

/// The value of the setting that is named: it is shown nowhere.
fn key(config: &mut Config<'_>, key: &str, variables: &Variables) -> Option<HeaderValue> {
    let name = config.text(key).filter(|name| !name.trim().is_empty())?;
    let found = variables.get(name.trim()).map(|value| value.trim().parse());
    let mut value: HeaderValue = match found {
        Some(Ok(value)) => value,
        Some(Err(_)) => {
            let expected = "the name of a setting whose value fits into a header";
            config.fault(key, &name, expected);
            return None;
        }
        None => {
            config.fault(key, &name, "the name of a setting that exists");
            return None;
        }
    };
    value.set_sensitive(true);
    Some(value)
}

fn items(text: &str) -> Vec<&str> {
    let inner = text.trim_start_matches('[').trim_end_matches(']');
    let items = inner.split(',').map(|item| item.trim().trim_matches('"'));
    items.filter(|item| !item.is_empty()).collect()
}

fn statuses(text: &str) -> Option<Vec<u16>> {
    let status = |text: &&str| {
        text.parse()
            .ok()
            .filter(|status| (100..600).contains(status))
    };
    items(text).iter().map(status).collect()
}

/// An empty list means all, as it does in the reference.
fn steps(text: &str) -> Option<Vec<LifecycleStep>> {
    let step = |text: &&str| {
        let all = LifecycleStep::ALL.into_iter();
        let mut named = all.filter(|step| format!("{step:?}").eq_ignore_ascii_case(text));
        named.next()
    };
    let steps: Vec<LifecycleStep> = items(text).iter().map(step).collect::<Option<_>>()?;
    Some(match steps.is_empty() {
        true => LifecycleStep::ALL.to_vec(),
        false => steps,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config<'a>(grid: &str, variables: &'a Variables) -> Config<'a> {
        let section = format!(r#"{{"notifications": {{"eventGrid": {grid}}}}}"#);
        let text = format!(r#"{{"version": "2.0", "extensions": {{"durableTask": {section}}}}}"#);
        Config::of("host.json".into(), text, variables).unwrap()
    }

    fn variables() -> Variables {
        Variables::of([("TopicKey".to_owned(), "s3cret-key".to_owned())])
    }

    #[test]
    fn every_key_is_read() {
        let variables = variables();
        let grid = r#"{
            "topicEndpoint": "https://example.com/events?code=s3cret-code", "keySettingName": "TopicKey",
            "publishRetryCount": 3, "publishRetryInterval": "00:00:30", "publishRetryHttpStatus": [400, 429],
            "publishEventTypes": ["Completed", "failed"]}"#;
        let mut config = config(grid, &variables);
        let read = read(&mut config, &variables).unwrap();
        assert_eq!(config.take_faults(), [""; 0]);
        assert_eq!(config.warnings(), [""; 0]);
        assert_eq!(read.endpoint.host_str(), Some("example.com"));
        assert_eq!((read.retries, read.interval), (3, Duration::from_secs(30)));
        assert_eq!(read.retry_statuses, [400, 429]);
        assert_eq!(
            read.steps,
            [LifecycleStep::Completed, LifecycleStep::Failed]
        );
        assert_eq!(read.key.as_ref().unwrap().to_str().unwrap(), "s3cret-key");
        assert!(!format!("{read:?}").contains("s3cret"), "{read:?}");
    }

    #[test]
    fn the_defaults_are_those_of_the_reference() {
        let variables = variables();
        let mut config = config(r#"{"topicEndpoint": "http://localhost:1/"}"#, &variables);
        let read = read(&mut config, &variables).unwrap();
        assert_eq!((read.retries, read.interval), (0, Duration::from_secs(300)));
        assert!(read.retry_statuses.is_empty() && read.key.is_none());
        assert_eq!(read.steps, LifecycleStep::ALL);
    }

    #[test]
    fn what_is_malformed_is_a_fault_without_its_secrets() {
        let variables = variables();
        let grid = r#"{
            "topicEndpoint": "ftp://example.com/?code=s3cret", "keySettingName": "Nobody",
            "publishRetryInterval": "01:00:01", "publishRetryHttpStatus": [4000],
            "publishEventTypes": ["Ended"]}"#;
        let mut config = config(grid, &variables);
        assert!(read(&mut config, &variables).is_none());
        let faults = config.take_faults();
        assert_eq!(faults.len(), 5, "{faults:?}");
        for (name, fault) in [
            (
                "keySettingName",
                "is `Nobody`, expected the name of a setting that exists",
            ),
            ("publishRetryInterval", "of an hour at most"),
            ("publishRetryHttpStatus", "is `[4000]`"),
            ("publishEventTypes", "some of `Started`"),
            ("topicEndpoint", "is `ftp://example.com/?code=***`"),
        ] {
            let found = faults.iter().find(|text| text.contains(name));
            assert!(found.is_some_and(|text| text.contains(fault)), "{faults:?}");
        }
    }

    #[test]
    fn without_an_endpoint_nobody_is_told() {
        let variables = variables();
        let mut config = config(r#"{"keySettingName": "TopicKey"}"#, &variables);
        assert!(read(&mut config, &variables).is_none());
        assert_eq!(config.take_faults(), [""; 0]);
    }
}
