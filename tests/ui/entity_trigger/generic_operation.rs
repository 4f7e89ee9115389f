use durable_functions::prelude::*;

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Counter {
    value: i64,
}

#[entity_trigger]
impl Counter {
    pub fn add<T: Into<i64>>(&mut self, n: T) {
        self.value += n.into();
    }
    pub fn set(&mut self, n: impl Into<i64>) {
        self.value = n.into();
    }
}

fn main() {}
