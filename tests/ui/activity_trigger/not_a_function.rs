use durable_functions::prelude::*;

#[activity_trigger]
struct Order;

#[activity_trigger]
impl Order {}

fn main() {}
