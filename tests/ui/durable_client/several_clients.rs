use durable_functions::prelude::*;

#[durable_client]
#[activity_trigger]
async fn copies(_from: DurableClient, _to: DurableClient) {}

fn main() {}
