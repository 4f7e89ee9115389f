use durable_functions::prelude::*;

struct Order;

#[activity_trigger]
async fn charge(_order: Order) {}

fn main() {}
