use durable_functions::prelude::*;

#[activity_trigger(rate = "10")]
async fn no_unit() {}

#[activity_trigger(rate = "0/s")]
async fn none() {}

fn main() {}
