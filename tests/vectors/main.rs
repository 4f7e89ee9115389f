//! The vectors of the reference, against a host that listens. A line of a table carries the number of its vector.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod functions;
mod host;
mod instances;
mod javascript;
mod limits;
mod paging;
mod settings;
mod table;

use host::Fixture;

async fn all_of(table: &str) {
    let fixture = Fixture::start(&[]).await;
    table::run(&fixture, table).await;
    fixture.stop().await;
}

#[tokio::test]
async fn who_may_call_a_function() {
    all_of(include_str!("tables/authorization.txt")).await;
}

#[tokio::test]
async fn where_a_request_leads() {
    all_of(include_str!("tables/routing.txt")).await;
}

#[tokio::test]
async fn what_functions_are_given_and_give() {
    all_of(include_str!("tables/binding.txt")).await;
}

#[tokio::test]
async fn the_key_api() {
    all_of(include_str!("tables/key_api.txt")).await;
}

#[tokio::test]
async fn the_management_webhooks() {
    let fixture = Fixture::start(&[]).await;
    let hub = fixture.host.client().task_hub();
    let table = include_str!("tables/webhooks.txt")
        .replace(" D/", " /runtime/webhooks/durabletask/")
        .replace("$baseD/", "$base/runtime/webhooks/durabletask/")
        .replace("?K ", "?code=sk-dt ")
        .replace("&K ", "&code=sk-dt ")
        .replace("$hub", &hub);
    table::run(&fixture, &table).await;
    fixture.stop().await;
}

#[tokio::test]
async fn the_host_and_its_functions() {
    all_of(include_str!("tables/host_api.txt")).await;
}

#[tokio::test]
async fn webhooks_of_others() {
    let table = include_str!("tables/hooks.txt")
        .replace("$d", "1388a6b0d05eca2237f10e4a4641260b0a08f3a5")
        .replace("$t", "1388a6b0d05eca2237f10e4a4641260b0a08f3a6");
    all_of(&table).await;
}
