use durable_functions::prelude::*;

#[activity_trigger]
async fn twice(_a: ActivityContext, _b: ActivityContext) {}

fn main() {}
