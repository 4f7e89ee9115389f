use durable_functions::prelude::*;

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Counter {
    value: i64,
}

#[entity_trigger]
impl Counter {
    pub fn get(&self, ctx: &mut EntityContext) -> i64 {
        ctx.entity::<relay>("other");
        ctx.entity::<String>("other");
        self.value
    }
}

#[entity_trigger]
async fn relay(_ctx: &mut EntityContext) {}

fn main() {}
