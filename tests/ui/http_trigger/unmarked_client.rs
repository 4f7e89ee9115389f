use durable_functions::prelude::*;

#[http_trigger]
async fn start(_client: DurableClient) {}

fn main() {}
