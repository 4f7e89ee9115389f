use durable_functions::prelude::*;

struct Order;

#[http_trigger]
async fn charge(_order: Order) {}

fn main() {}
