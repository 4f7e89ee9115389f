//! The durable client of the JavaScript SDK, the npm package itself, against a host that listens.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use durable_functions::prelude::*;
use serde_json::json;

use crate::functions::Gate;
use crate::host::{Fixture, builder};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/javascript");

/// What npm and node are asked to do; `None`, if they are not there and may be missing.
fn run(program: &str, change: impl FnOnce(&mut Command)) -> Option<Output> {
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    change(&mut command);
    match command.output() {
        Ok(output) => Some(output),
        Err(error) => {
            assert!(
                std::env::var_os("REQUIRE_NODE").is_none(),
                "`{program}` cannot be run ({error}): install Node.js 20 or newer"
            );
            eprintln!(
                "SKIPPED: `{program}` cannot be run ({error}): install Node.js 20 or newer; REQUIRE_NODE=1 makes this fail"
            );
            None
        }
    }
}

fn succeeded(output: &Output) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
}

/// The folder of the installed packages, below `target/`: exactly those that the lock file names.
fn packages() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("javascript");
    let lock = std::fs::read(Path::new(SOURCES).join("package-lock.json")).unwrap();
    let installed = folder.join("installed.json");
    if std::fs::read(&installed).is_ok_and(|of| of == lock) {
        return Some(folder.join("node_modules"));
    }
    std::fs::create_dir_all(&folder).unwrap();
    for name in ["package.json", "package-lock.json"] {
        std::fs::copy(Path::new(SOURCES).join(name), folder.join(name)).unwrap();
    }
    let output = run("npm", |npm| {
        npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
            .current_dir(&folder);
    })?;
    succeeded(&output);
    std::fs::write(installed, lock).unwrap();
    Some(folder.join("node_modules"))
}

/// What the Functions host hands to the client of a function that another process runs.
fn binding(client: &DurableClient, rpc: Option<&str>) -> Value {
    let links = client.create_http_management_payload_for("INSTANCEID");
    let (base, _) = links
        .status_query_get_uri
        .split_once("/instances/")
        .unwrap();
    let (_, code) = links.status_query_get_uri.split_once("code=").unwrap();
    let code = format!("code={code}");
    let start = format!("{base}/orchestrators/{{functionName}}[/{{instanceId}}]");
    json!({
        "taskHubName": client.task_hub(),
        "connectionName": null,
        "creationUrls": {
            "createNewInstancePostUri": format!("{start}?{code}"),
            "createAndWaitOnNewInstancePostUri":
                format!("{start}?timeout={{timeoutInSeconds}}&pollingInterval={{intervalInSeconds}}&{code}"),
        },
        "managementUrls": links,
        "baseUrl": base,
        "requiredQueryStringParameters": code,
        "rpcBaseUrl": rpc,
        "httpBaseUrl": null,
    })
}

/// Runs the whole of what the client can do; `false`, if there is nothing to run it with.
async fn runs(binding: Value) -> bool {
    let run = move || {
        let packages = packages()?;
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("binding.json");
        std::fs::write(&input, binding.to_string()).unwrap();
        run("node", |node| {
            node.arg(Path::new(SOURCES).join("client.js"))
                .env("NODE_PATH", packages)
                // Else the SDK takes every URL to port 7071.
                .env("WEBSITE_HOSTNAME", "localhost")
                .stdin(std::fs::File::open(&input).unwrap());
        })
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    if let Some(output) = &output {
        succeeded(output);
        assert_eq!(output.stdout, b"done\n");
    }
    output.is_some()
}

#[tokio::test]
async fn the_javascript_client_cannot_tell() {
    let fixture = Fixture::start(&[]).await;
    // By the public URLs, with the key that they carry.
    if runs(binding(&fixture.host.client(), None)).await {
        // By the base that it concatenates paths to, as it does with the endpoint for local workers, which asks for no key.
        let folder = tempfile::tempdir().unwrap();
        let host = builder(&folder, &Gate::new(), &[]).with_auth(false);
        let host = host.start().await.unwrap();
        let base = host.url().unwrap().join("runtime/webhooks/durabletask/");
        let base = base.unwrap().to_string();
        assert!(runs(binding(&host.client(), Some(&base))).await);
        host.shutdown().await.unwrap();
    }
    fixture.stop().await;
}
