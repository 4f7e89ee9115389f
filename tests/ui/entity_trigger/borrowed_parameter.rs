use durable_functions::prelude::*;

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Counter {
    value: i64,
}

#[entity_trigger]
impl Counter {
    pub fn add(&mut self, _text: &str, _state: &State<u32>) {}
}

fn main() {}
