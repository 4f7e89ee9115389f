use durable_functions::prelude::*;

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Counter {
    value: i64,
}

#[entity_trigger]
impl Counter {
    pub fn add(&mut self, n: i64) {
        self.value += n;
    }
    #[allow(non_snake_case)]
    pub fn Add(&mut self) {
        self.value += 1;
    }
}

fn main() {}
