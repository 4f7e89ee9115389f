use durable_functions::prelude::*;

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Counter {
    value: i64,
}

#[entity_trigger]
impl Counter {
    pub fn take(self) -> i64 {
        self.value
    }
    pub fn unbox(self: Box<Self>, n: i64) -> i64 {
        self.value + n
    }
}

fn main() {}
