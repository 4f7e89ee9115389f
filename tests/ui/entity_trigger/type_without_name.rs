use durable_functions::prelude::*;

trait Counts {}

#[entity_trigger]
impl dyn Counts {
    pub fn get(&self) -> i64 {
        0
    }
}

fn main() {}
