use durable_functions::prelude::*;

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Counter {
    value: i64,
}

#[entity_trigger]
impl Counter {
    pub fn signal(&mut self, n: i64) {
        self.value = n;
    }
}

fn main() {}
