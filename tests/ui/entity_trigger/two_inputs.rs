use durable_functions::prelude::*;

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Counter {
    value: i64,
}

#[entity_trigger]
impl Counter {
    pub fn add(&mut self, a: i64, b: i64) {
        self.value += a + b;
    }
}

fn main() {}
