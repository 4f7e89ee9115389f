use durable_functions::prelude::*;

struct Order;

#[http_trigger(route = "orders/{order}")]
async fn charge(order: Order) {
    drop(order);
}

fn main() {}
