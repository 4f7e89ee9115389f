use durable_functions::prelude::*;

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Counter {
    value: i64,
}

#[entity_trigger]
impl Counter {
    #[cfg(all())]
    pub fn delete(&mut self) {}
}

fn main() {}
