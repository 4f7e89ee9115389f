use durable_functions::prelude::*;

#[http_trigger(route = "orders/{id}")]
async fn order(id: String, _id: String) -> String {
    id
}

fn main() {}
