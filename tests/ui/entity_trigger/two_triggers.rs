use durable_functions::prelude::*;

#[entity_trigger]
#[activity_trigger]
async fn both(_ctx: &mut EntityContext) {}

fn main() {}
