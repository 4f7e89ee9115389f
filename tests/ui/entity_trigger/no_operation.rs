use durable_functions::prelude::*;

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Counter {
    value: i64,
}

#[entity_trigger]
impl Counter {
    pub fn new() -> Self {
        Self::default()
    }
    fn increase(&mut self) {
        self.value += 1;
    }
}

fn main() {}
