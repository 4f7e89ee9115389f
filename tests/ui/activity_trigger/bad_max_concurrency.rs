use durable_functions::prelude::*;

#[activity_trigger(max_concurrency = 0)]
async fn none() {}

#[activity_trigger(max_concurrency = 99999999999)]
async fn many() {}

fn main() {}
