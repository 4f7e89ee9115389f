use durable_functions::prelude::*;

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Counter {
    value: i64,
}

#[derive(serde::Serialize)]
struct Order;

#[entity_trigger]
impl Counter {
    pub fn add(&mut self, _order: Order) {}
}

fn main() {}
