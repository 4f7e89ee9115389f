use durable_functions::prelude::*;

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Counter {
    value: i64,
}

#[entity_trigger]
impl Counter {
    pub fn get(&self) -> impl Sized {
        self.value
    }
}

#[entity_trigger]
async fn opaque(_ctx: &mut EntityContext) -> impl Sized {}

fn main() {}
