use durable_functions::prelude::*;

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Counter {
    value: i64,
}

#[entity_trigger(nam = "counter", version = "1")]
impl Counter {
    pub fn get(&self) -> i64 {
        self.value
    }
}

fn main() {}
