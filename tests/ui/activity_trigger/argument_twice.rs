use durable_functions::prelude::*;

#[activity_trigger(name = "a", name = "b")]
async fn twice() {}

fn main() {}
