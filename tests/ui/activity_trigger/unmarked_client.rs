use durable_functions::prelude::*;

#[activity_trigger]
async fn starts(client: DurableClient) {
    drop(client);
}

fn main() {}
