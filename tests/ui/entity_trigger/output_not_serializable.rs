use durable_functions::prelude::*;

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Counter {
    value: i64,
}

#[derive(serde::Deserialize)]
struct Receipt;

#[entity_trigger]
impl Counter {
    pub fn get(&self) -> Receipt {
        Receipt
    }
}

fn main() {}
