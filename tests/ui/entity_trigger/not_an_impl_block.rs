use durable_functions::prelude::*;

#[entity_trigger]
#[derive(Default)]
pub struct Counter {
    value: i64,
}

#[entity_trigger]
mod counter {}

fn main() {}
