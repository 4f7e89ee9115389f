use durable_functions::prelude::*;

#[entity_trigger]
async fn relay(_name: State<String>) {}

fn main() {}
