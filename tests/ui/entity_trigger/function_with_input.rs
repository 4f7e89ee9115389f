use durable_functions::prelude::*;

#[entity_trigger]
async fn relay(_ctx: &mut EntityContext, n: i64) {
    drop(n);
}

fn main() {}
