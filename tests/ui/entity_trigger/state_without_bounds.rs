use durable_functions::prelude::*;

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
