use durable_functions::prelude::*;

#[http_trigger(route = "orders/{id?}")]
async fn order(id: u32) -> String {
    id.to_string()
}

fn main() {}
