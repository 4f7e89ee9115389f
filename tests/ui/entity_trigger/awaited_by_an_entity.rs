use durable_functions::prelude::*;

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Counter {
    value: i64,
}

#[entity_trigger]
impl Counter {
    pub async fn increase(&mut self, ctx: &mut EntityContext) {
        ctx.entity::<Counter>("other").increase();
    }
}

fn main() {}
