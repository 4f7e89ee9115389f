use durable_functions::prelude::*;

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Counter {
    value: i64,
}

#[entity_trigger]
impl Drop for Counter {
    fn drop(&mut self) {}
}

fn main() {}
