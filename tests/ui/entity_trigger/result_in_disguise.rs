use durable_functions::prelude::*;

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Counter {
    value: i64,
}

type Answer = Result<i64>;

#[entity_trigger]
impl Counter {
    pub fn get(&self) -> Answer {
        Ok(self.value)
    }
}

fn main() {}
