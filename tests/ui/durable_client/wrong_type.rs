use durable_functions::prelude::*;

#[activity_trigger]
async fn on_text(#[durable_client] _client: String) {}

fn main() {}
