//! A host with the keys of the fixture, and whom to ask.

use std::net::SocketAddr;

use durable_functions::{Host, RunningHost, reqwest};
use reqwest::Client;
use tempfile::TempDir;

use crate::functions::Gate;

/// Scope and name in the key API, and the value.
const KEYS: &[(&str, &str)] = &[
    ("host/functionkeys/default", "hk-def"),
    ("host/functionkeys/two", "hk-two"),
    ("host/systemkeys/test_extension", "sk-test"),
    ("host/systemkeys/other_extension", "sk-other"),
    ("host/systemkeys/durabletask_extension", "sk-dt"),
    ("functions/HttpTrigger/keys/default", "fk-a"),
    ("functions/HttpTrigger/keys/key1", "fk-a1"),
    ("functions/Other/keys/default", "fk-b"),
    ("functions/AdminFn/keys/default", "fk-adm"),
    ("functions/Anon/keys/default", "fk-an"),
    ("functions/Disabled/keys/default", "fk-dis"),
    (
        "functions/Who/keys/default",
        "t8laajal0a1ajkgzoqlfv5gxr4ebhqozebw4qzdy",
    ),
    (
        "functions/Hook/keys/default",
        "1388a6b0d05eca2237f10e4a4641260b0a08f3a5",
    ),
    (
        "functions/Hook/keys/testclient",
        "1388a6b0d05eca2237f10e4a4641260b0a08f3a6",
    ),
    (
        "functions/GhHook/keys/default",
        "1388a6b0d05eca2237f10e4a4641260b0a08f3a5",
    ),
    (
        "functions/GhHook/keys/testclient",
        "1388a6b0d05eca2237f10e4a4641260b0a08f3a6",
    ),
    (
        "functions/SlackHook/keys/default",
        "1388a6b0d05eca2237f10e4a4641260b0a08f3a5",
    ),
    (
        "functions/SlackHook/keys/testclient",
        "1388a6b0d05eca2237f10e4a4641260b0a08f3a6",
    ),
    (
        "functions/Hook/keys/two",
        "the-function-key-two-of-thirty-two-characters",
    ),
    ("functions/Hook/keys/short", "too-short"),
    ("host/systemkeys/_master", "m-1234"),
];

/// A host that asks for the keys of the fixture.
pub(crate) struct Fixture {
    pub(crate) host: RunningHost,
    pub(crate) gate: Gate,
    pub(crate) http: Client,
    pub(crate) folder: TempDir,
}

/// A builder with what every host of these tests is told.
pub(crate) fn builder(folder: &TempDir, gate: &Gate, settings: &[(&str, &str)]) -> Host {
    let host = Host::new()
        .with_state(gate.clone())
        .with_script_root(folder.path())
        .with_address("127.0.0.1:0")
        .with_auth(true)
        .with_setting("VectorRoute", "from/setting")
        .with_setting("AzureWebJobs.Disabled.Disabled", "true");
    let settings = settings.iter();
    settings.fold(host, |host, (name, value)| host.with_setting(*name, *value))
}

impl Fixture {
    /// Its keys are set through the key API of a first run, which asks for none.
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let gate = Gate::new();
        // `Host` installs the TLS provider that clients need.
        let first = builder(&folder, &gate, &[])
            .with_auth(false)
            .start()
            .await
            .unwrap();
        let http = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let base = first.url().unwrap();
        for (path, value) in KEYS {
            let url = base.join(&format!("admin/{path}")).unwrap();
            let put = http.put(url).json(&serde_json::json!({ "value": value }));
            let answer = put.send().await.unwrap();
            assert!(answer.status().is_success(), "{path}: {}", answer.status());
        }
        first.shutdown().await.unwrap();
        let host = builder(&folder, &gate, settings).start().await.unwrap();
        Self {
            host,
            gate,
            http,
            folder,
        }
    }

    pub(crate) fn root(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// `http://127.0.0.1:port`, without a slash at its end.
    pub(crate) fn base(&self) -> String {
        self.host
            .url()
            .unwrap()
            .as_str()
            .trim_end_matches('/')
            .to_owned()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.host.url().unwrap().socket_addrs(|| None).unwrap()[0]
    }

    pub(crate) async fn stop(self) {
        self.host.shutdown().await.unwrap();
    }
}
