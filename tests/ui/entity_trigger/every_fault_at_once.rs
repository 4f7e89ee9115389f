use durable_functions::prelude::*;

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Counter {
    value: i64,
}

#[entity_trigger(name = "", colour = "red")]
impl Counter {
    pub unsafe fn add<T>(self, a: &str, b: u32, client: DurableClient) -> impl Sized {
        (a, b, client)
    }
    pub fn signal(&mut self, _ctx: EntityContext) {}
}

fn main() {}
