use durable_functions::prelude::*;

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Counter {
    value: i64,
}

#[entity_trigger]
impl Counter {
    pub async fn add(&mut self, client: DurableClient) {
        drop(client);
    }
}

fn main() {}
