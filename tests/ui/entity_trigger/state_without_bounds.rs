use durable_functions::prelude::*;

#[derive(serde::Serialize, serde::Deserialize)]
struct Counter {
    value: i64,
}

#[entity_trigger]
impl Counter {
    pub fn get(&self) -> i64 {
        self.value
    }
}

fn main() {}
