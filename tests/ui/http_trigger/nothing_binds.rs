use durable_functions::prelude::*;

#[http_trigger(route = "orders/{id}")]
async fn misnamed(di: u32) -> String {
    di.to_string()
}

#[http_trigger]
async fn no_placeholder(count: Option<u32>) -> String {
    format!("{count:?}")
}

fn main() {}
