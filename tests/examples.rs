//! The examples do what their first lines say, in virtual time.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

use std::time::Duration;

use durable_functions::prelude::*;
use durable_functions::testing::{RunningTestHost, TestHost};

#[allow(dead_code, reason = "its `main` is the example's")]
#[path = "../examples/async_http_api.rs"]
mod async_http_api;
#[allow(dead_code, reason = "its `main` is the example's")]
#[path = "../examples/chaining.rs"]
mod chaining;
#[allow(dead_code, reason = "its `main` is the example's")]
#[path = "../examples/eternal.rs"]
mod eternal;
#[allow(dead_code, reason = "its `main` is the example's")]
#[path = "../examples/fan_out_fan_in.rs"]
mod fan_out_fan_in;
#[allow(dead_code, reason = "its `main` is the example's")]
#[path = "../examples/human_interaction.rs"]
mod human_interaction;
#[allow(dead_code, reason = "its `main` is the example's")]
#[path = "../examples/monitor.rs"]
mod monitor;
#[allow(dead_code, reason = "its `main` is the example's")]
#[path = "../examples/saga.rs"]
mod saga;
#[allow(dead_code, reason = "its `main` is the example's")]
#[path = "../examples/sub_orchestrations.rs"]
mod sub_orchestrations;
#[allow(dead_code, reason = "its `main` is the example's")]
#[path = "../examples/versions.rs"]
mod versions;

async fn host(module: &str) -> RunningTestHost {
    let module = format!("{}::{module}", module_path!());
    TestHost::within(&module).start().await.unwrap()
}

macro_rules! example {
    ($name:ident, $orchestrator:ident($input:expr) => $expected:expr) => {
        mod $name {
            use super::*;

            #[tokio::test]
            async fn ends_as_it_says() {
                let host = host(stringify!($name)).await;
                let status = host
                    .run::<super::super::$name::$orchestrator>($input)
                    .await
                    .unwrap();
                assert_eq!(status.output, Some(json!($expected)), "{status:?}");
            }
        }
    };
}

mod outcomes {
    use super::*;

    example!(chaining, order("tea") => "tea, reserved, paid, shipped");
    example!(fan_out_fan_in, count_words(vec!["to be".into(), "or not".into(), "to be or not to be".to_owned()]) => 10);
    example!(async_http_api, render(2) => ["page 1", "page 2"]);
    example!(human_interaction, approve_expense(json!({ "amount": 1500 })) => "escalated");
    example!(sub_orchestrations, provision_all(vec!["lamp".into(), "lock".to_owned()]) => ["lamp is ready", "lock is ready"]);
    example!(versions, greet(()) => "Good day, and welcome");
}

#[tokio::test]
async fn monitor_goes_on_until_the_sky_is_clear() {
    let looks = std::sync::atomic::AtomicU32::new(0);
    let host = TestHost::within(concat!(module_path!(), "::monitor"))
        .mock_activity::<monitor::sky>(move |_| {
            let look = looks.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Ok(if look < 3 { "rainy" } else { "clear" }.to_owned())
        })
        .start()
        .await
        .unwrap();
    let began = host.now();
    let status = host.run::<monitor::watch_weather>("Oslo").await.unwrap();
    assert_eq!(status.output, Some(json!("Oslo is clear")));
    assert_eq!(host.now(), began + Duration::from_secs(10 + 20 + 40));
}

#[tokio::test]
async fn human_interaction_takes_an_approval() {
    let host = host("human_interaction").await;
    let client = host.client();
    let id = client
        .start_new::<human_interaction::approve_expense>(json!({}))
        .await
        .unwrap();
    client.raise_event(&id, "approval", true).await.unwrap();
    let status = client
        .wait_for_completion(&id, Duration::from_secs(60))
        .await;
    assert_eq!(status.unwrap().output, Some(json!("approved")));
}

#[tokio::test]
async fn saga_undoes_in_reverse_order() {
    let host = host("saga").await;
    let fine = host.run::<saga::trip>("Rome").await.unwrap();
    assert_eq!(
        fine.output.unwrap()["booked"],
        json!(["flight", "hotel", "car"])
    );
    let undone = host.run::<saga::trip>("Atlantis").await.unwrap();
    assert_eq!(undone.output.unwrap()["undone"], json!(["hotel", "flight"]));
}

#[tokio::test]
async fn eternal_cleans_every_ten_seconds() {
    let host = host("eternal").await;
    let id = host
        .client()
        .start_new::<eternal::clean_for_ever>(0)
        .await
        .unwrap();
    host.advance(Duration::from_secs(100)).await;
    let status = host.client().get_status(&id).await.unwrap().unwrap();
    assert_eq!(status.custom_status, Some(json!("cleaned 11 times")));
}

#[tokio::test]
async fn versions_run_side_by_side() {
    let host = host("versions").await;
    let old = host.run::<versions::greet_before>(()).await.unwrap();
    assert_eq!(old.output, Some(json!("Hello")));
}
