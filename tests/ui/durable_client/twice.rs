use durable_functions::prelude::*;

#[activity_trigger]
async fn on_one(#[durable_client] #[durable_client] _client: DurableClient) {}

#[activity_trigger]
#[durable_client]
async fn on_both(#[durable_client] _client: DurableClient) {}

#[durable_client]
#[activity_trigger]
#[durable_client]
async fn on_function(_client: DurableClient) {}

fn main() {}
