use durable_functions::prelude::*;

struct Counter;

impl Counter {
    #[entity_trigger]
    pub async fn add(&mut self, _ctx: &mut EntityContext) {}
}

fn main() {}
