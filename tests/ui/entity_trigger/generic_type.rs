use durable_functions::prelude::*;

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Counter<T> {
    value: T,
}

#[entity_trigger]
impl<T> Counter<T> {
    pub fn get(&self) -> &T {
        &self.value
    }
}

#[entity_trigger]
impl Counter<i64> {
    pub fn add(&mut self, n: i64) {
        self.value += n;
    }
}

fn main() {}
