//! What configurations mean, and what is said of wrong ones.

use std::path::PathBuf;
use std::time::Duration;

use super::known::nearest;
use super::lines::line_of;
use super::*;

fn variables(all: &[(&str, &str)]) -> Variables {
    Variables::of(
        all.iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned())),
    )
}

fn config<'a>(text: &str, variables: &'a Variables) -> Config<'a> {
    Config::of(PathBuf::from("host.json"), text.to_owned(), variables).unwrap()
}

const TEXT: &str = r#"{
  "version": "2.0",
  "functionTimeout": "00:05:00",
  "extensions": {
    "durableTask": { "hubName": "%Hub%", "maxOrchestrationActions": "many",
      "hubnme": 1 },
    "http": { "routePrefix": "v1", "maxOutstandingRequests": 5, "customHeaders": { "X-A": "1" } }
  }
}"#;

#[test]
fn comments_and_last_commas_are_no_faults_and_move_no_line() {
    let text = r#"{ // the \"host\"
  /* of
     two lines: ä */
  "version": "2.0", // "version": "1.0"
  "extensions": {
    "http": { "routePrefix": "a//b/*c*/", "maxOutstandingRequests": "x", },
  },
}
"#;
    let none = Variables::default();
    let mut config = config(text, &none);
    let prefix = config.text("extensions.http.routePrefix");
    assert_eq!(prefix.as_deref(), Some("a//b/*c*/"));
    assert_eq!(
        config.number::<u8>("extensions.http.maxOutstandingRequests"),
        None
    );
    let faults = config.take_faults();
    assert!(faults[0].starts_with("host.json:6: "), "{faults:?}");
}

#[test]
fn a_comment_without_an_end_reaches_to_the_end_of_the_file() {
    let text = "{\n  \"version\": \"2.0\" /* so far\n}".to_owned();
    let none = Variables::default();
    let error = Config::of(PathBuf::from("host.json"), text, &none)
        .err()
        .unwrap();
    let expected = "host.json:3: EOF while parsing an object";
    assert!(error.to_string().starts_with(expected), "{error}");
}

#[test]
fn values_come_from_the_file_unless_a_variable_overrides_them() {
    let variables = variables(&[
        ("hub", "MyHub"),
        ("azurefunctionsjobhost__Extensions__http__routePrefix", ""),
        (
            "AzureFunctionsJobHost__extensions__http__customHeaders__X-B",
            "2",
        ),
    ]);
    let mut config = config(TEXT, &variables);
    assert_eq!(
        config.text("extensions.durableTask.hubName").as_deref(),
        Some("MyHub")
    );
    assert_eq!(
        config.text("extensions.http.routePrefix").as_deref(),
        Some("")
    );
    assert_eq!(
        config.number("extensions.http.MaxOutstandingRequests"),
        Some(5)
    );
    assert_eq!(
        config.number::<u8>("extensions.http.maxConcurrentRequests"),
        None
    );
    let headers = config.members("extensions.http.customHeaders");
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    assert_eq!(headers, [("X-A", "1"), ("X-B", "2")]);
    assert_eq!(config.take_faults(), [""; 0]);
}

#[test]
fn all_faults_are_told_with_file_line_key_and_value() {
    let none = Variables::default();
    let mut config = config(TEXT, &none);
    assert_eq!(
        config.number::<usize>("extensions.durableTask.maxOrchestrationActions"),
        None
    );
    assert_eq!(config.text("extensions.durableTask.hubName"), None);
    assert_eq!(
        config.take_faults(),
        [
            "host.json:5: `extensions.durableTask.maxOrchestrationActions` is `many`, expected a number that is not negative",
            "host.json:5: `extensions.durableTask.hubName` is `%Hub%`, expected a setting `Hub`, which does not exist",
        ]
    );
}

#[test]
fn unknown_keys_are_told_with_the_nearest() {
    let none = Variables::default();
    assert_eq!(
        config(TEXT, &none).warnings(),
        ["host.json:6: `extensions.durableTask.hubnme` has no meaning; did you mean `hubName`?"]
    );
    assert_eq!(nearest("somethingElse", &["hubName"]), None);
}

#[test]
fn a_file_that_is_no_host_json_is_refused() {
    let none = Variables::default();
    for (text, problem) in [
        ("{\n  \"version\": }", "host.json:2: "),
        ("{\"extensions\":{}}", "'version'"),
        (
            "{\n\"version\": \"1.0\"}",
            "host.json:2: `version` is `\"1.0\"`",
        ),
        ("[]", "'version'"),
    ] {
        let read = Config::of(PathBuf::from("host.json"), text.to_owned(), &none);
        let error = read.map(drop).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
    assert!(Config::of(PathBuf::from("host.json"), " \n".to_owned(), &none).is_ok());
}

#[test]
fn lines_of_members() {
    assert_eq!(line_of(TEXT, &["functionTimeout"]), Some(3));
    assert_eq!(
        line_of(TEXT, &["extensions", "http", "routeprefix"]),
        Some(7)
    );
    assert_eq!(line_of(TEXT, &["routePrefix"]), None);
    assert_eq!(
        line_of("{\"a\\\"\": 1,\n\"b\": [{\"c\": 1}]}", &["b"]),
        Some(2)
    );
}

#[test]
fn time_spans() {
    for (text, milliseconds) in [
        ("00:05:00", Some(300_000)),
        ("1.00:00:01.5", Some(86_401_500)),
        ("00:00:00.250", Some(250)),
        ("00:01", Some(60_000)),
        ("5", None),
        ("00:00:61", None),
        ("1:2:3:4", None),
        ("a:b:c", None),
        ("", None),
    ] {
        assert_eq!(
            parse::span(text),
            milliseconds.map(Duration::from_millis),
            "{text}"
        );
    }
}

#[test]
fn names_between_percent_signs_are_settings() {
    let variables = variables(&[("A", "1"), ("b c", "2")]);
    for (text, resolved) in [
        ("%a%", Ok("1")),
        ("x%A%y%B C%", Ok("x1y2")),
        ("100%", Ok("100%")),
        ("plain", Ok("plain")),
        ("%none%", Err("none")),
    ] {
        let expected = resolved.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(variables.resolve(text), expected, "{text}");
    }
}

#[test]
fn local_settings_are_strings_and_an_address() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("local.settings.json");
    let text = r#"{"IsEncrypted":false,/* yet */"Values":{"A":"1","B":2,},"Host":{"LocalHttpPort":8080,"CORS":"*"}}"#;
    std::fs::write(&file, text).unwrap();
    let read = LocalSettings::read(folder.path()).unwrap();
    assert_eq!(read.host().local_http_port, Some(8080));
    let values: Vec<_> = read.into_values().collect();
    assert_eq!(values, [("A".into(), "1".into()), ("B".into(), "2".into())]);
    for (text, problem) in [
        ("{\n \"Values\": 1}", "local.settings.json:2: "),
        ("{\"IsEncrypted\":true}", "IsEncrypted"),
    ] {
        std::fs::write(&file, text).unwrap();
        let error = LocalSettings::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(1000))]

    /// Every `host.json` is read or refused, and a refusal names the file.
    #[test]
    fn no_host_json_is_a_panic(text in r#"[\{\}\[\]":,a-z0-9. \n%_-]{0,80}"#, cut in 0usize..400) {
        let none = Variables::default();
        let whole = TEXT.get(..cut.min(TEXT.len())).unwrap_or(TEXT);
        for text in [text.clone(), format!("{whole}{text}"), TEXT.replace("many", &text)] {
            match Config::of(PathBuf::from("host.json"), text, &none) {
                Err(error) => proptest::prop_assert!(error.to_string().contains("host.json")),
                Ok(mut config) => {
                    let _ = config.number::<usize>("extensions.durableTask.maxOrchestrationActions");
                    let _ = config.list("extensions.http.trustedProxies");
                    let _ = config.members("extensions.http.customHeaders");
                    let _ = config.flag("extensions.http.hsts.isEnabled", false);
                    let _ = (config.warnings(), config.take_faults());
                }
            }
        }
    }

    #[test]
    fn spans_are_read_without_a_panic(text in r"[0-9:. -]{0,24}") {
        let _ = parse::span(&text);
    }
}

#[test]
fn what_changes_nothing_says_so_and_what_is_malformed_is_a_fault() {
    let text = r#"{
  "version": "2.0",
  "extensions": {
    "durableTask": {
      "useGracefulShutdown": true, "localRpcEndpointEnabled": true, "useAppLease": "perhaps",
      "storageProvider": { "partitionCount": 17, "maxQueuePollingInterval": "00:00:10", "typ": 1 }
    },
    "http": { "hsts": { "isEnabled": true } }
  }
}"#;
    let none = Variables::default();
    let mut config = config(text, &none);
    assert_eq!(
        config.unused(),
        [
            "`extensions.durableTask.localRpcEndpointEnabled` is `true`, which is accepted and changes nothing: this host has no gRPC endpoint yet",
            "`extensions.durableTask.storageProvider.maxQueuePollingInterval` is `00:00:10`, which is accepted and changes nothing: this hub has no queues to poll",
        ]
    );
    assert_eq!(
        config.take_faults(),
        [
            "host.json:5: `extensions.durableTask.useAppLease` is `perhaps`, expected true or false",
            "host.json:6: `extensions.durableTask.storageProvider.partitionCount` is `17`, expected a number from 1 to 16",
        ]
    );
    assert_eq!(
        config.warnings(),
        [
            "host.json:6: `extensions.durableTask.storageProvider.typ` has no meaning; did you mean `type`?"
        ]
    );
}

#[test]
fn variables_that_nobody_knows_are_named_like_keys_of_the_file() {
    let set = |name: &str| (format!("AzureFunctionsJobHost__{name}"), "1".to_owned());
    let variables = Variables::of([
        set("extensions__durableTask__maxOrchestrationAction"),
        set("extensions__durableTask__retention__complete"),
        set("extensions__durableTask__maxOrchestrationActions"),
        set("extensions__http__customHeaders__X-Own"),
        set("logging__logLevel__default"),
    ]);
    let config = config(r#"{"version": "2.0"}"#, &variables);
    assert_eq!(
        config.warnings(),
        [
            "the setting `AzureFunctionsJobHost__extensions__durableTask__maxOrchestrationAction` has no meaning; did you mean `maxOrchestrationActions`?",
            "the setting `AzureFunctionsJobHost__extensions__durableTask__retention__complete` has no meaning; did you mean `completed`?",
        ]
    );
}

#[test]
fn limits_are_within_reason() {
    let text = r#"{"version":"2.0","extensions":{"durableTask":{"limits":{
        "payloadBytes": 1023, "customStatusKilobytes": 0, "messagesPerTurn": 0, "generationsPerTurn": -1,
        "historyWarningEvents": "many", "payloadWarningBytes": 1, "payloadByte": 1
    }}}}"#;
    let told =
        crate::host::settings::Told::of_text(text, Variables::default(), &PathBuf::from("app"));
    let told = told.unwrap();
    let expected = [
        "`extensions.durableTask.limits.payloadBytes` is `1023`, expected a number of bytes from 1024 to 536870912",
        "`extensions.durableTask.limits.customStatusKilobytes` is `0`, expected a number of kilobytes from 1 to 65536",
        "`extensions.durableTask.limits.historyWarningEvents` is `many`, expected a number from 1 on",
        "`extensions.durableTask.limits.messagesPerTurn` is `0`, expected a number from 1 on",
        "`extensions.durableTask.limits.generationsPerTurn` is `-1`, expected a number from 1 on",
    ];
    assert_eq!(told.faults.len(), expected.len(), "{:?}", told.faults);
    for (fault, expected) in told.faults.iter().zip(expected) {
        assert!(
            fault.starts_with("host.json:") && fault.ends_with(expected),
            "{fault}"
        );
    }
    let hint =
        "`extensions.durableTask.limits.payloadByte` has no meaning; did you mean `payloadBytes`?";
    assert!(
        told.warnings.iter().any(|said| said.ends_with(hint)),
        "{:?}",
        told.warnings
    );
}

#[test]
fn a_section_is_an_object() {
    let text = r#"{"version":"2.0","extensions":{
        "durableTask": { "limits": 5, "httpSettings": true, "tracing": null },
        "http": { "hsts": [], "routePrefix": "x" }
    }}"#;
    let told =
        crate::host::settings::Told::of_text(text, Variables::default(), &PathBuf::from("app"));
    let mut faults = told.unwrap().faults;
    faults.sort();
    let expected = [
        "host.json:2: `extensions.durableTask.httpSettings` is `true`, expected an object",
        "host.json:2: `extensions.durableTask.limits` is `5`, expected an object",
        "host.json:3: `extensions.http.hsts` is `[]`, expected an object",
    ];
    assert_eq!(faults, expected);
    let text = r#"{"version":"2.0","extensions":"none"}"#;
    let told =
        crate::host::settings::Told::of_text(text, Variables::default(), &PathBuf::from("app"));
    let expected = "host.json:1: `extensions` is `\"none\"`, expected an object";
    assert_eq!(told.unwrap().faults, [expected]);
}

#[test]
fn an_unknown_key_of_hsts_is_told_with_the_nearest() {
    let text = r#"{"version":"2.0","extensions":{"http":{"hsts":{"isEnable":true}}}}"#;
    let told =
        crate::host::settings::Told::of_text(text, Variables::default(), &PathBuf::from("app"));
    let hint = "`extensions.http.hsts.isEnable` has no meaning; did you mean `isEnabled`?";
    let warnings = told.unwrap().warnings;
    assert!(
        warnings.iter().any(|said| said.ends_with(hint)),
        "{warnings:?}"
    );
}
