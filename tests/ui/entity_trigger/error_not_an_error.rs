use durable_functions::prelude::*;

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Counter {
    value: i64,
}

#[entity_trigger]
impl Counter {
    pub fn get(&self) -> Result<i64, i64> {
        Ok(self.value)
    }
}

#[entity_trigger]
async fn fails(_ctx: &mut EntityContext) -> Result<i64, i64> {
    Err(1)
}

fn main() {}
