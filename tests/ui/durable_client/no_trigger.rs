use durable_functions::prelude::*;

#[durable_client]
async fn helper(_client: DurableClient) {}

fn main() {}
