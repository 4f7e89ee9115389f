use durable_functions::prelude::*;

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Counter {
    value: i64,
}

#[entity_trigger]
impl Counter {
    pub unsafe fn add(&mut self) {}
    pub extern "C" fn get(&self) {}
}

fn main() {}
