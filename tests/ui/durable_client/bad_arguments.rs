use durable_functions::prelude::*;

#[activity_trigger]
async fn unknown(#[durable_client(hub = "Other")] _client: DurableClient) {}

#[activity_trigger]
async fn empty(#[durable_client(task_hub = "", connection = "")] _client: DurableClient) {}

#[activity_trigger]
async fn value(#[durable_client = "Other"] _client: DurableClient) {}

fn main() {}
