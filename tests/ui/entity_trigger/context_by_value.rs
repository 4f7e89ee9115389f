use durable_functions::prelude::*;

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Counter {
    value: i64,
}

#[entity_trigger]
impl Counter {
    pub fn add(&mut self, ctx: EntityContext) {
        drop(ctx);
    }
}

#[entity_trigger]
async fn by_value(ctx: EntityContext) {
    drop(ctx);
}

fn main() {}
