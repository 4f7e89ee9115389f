use durable_functions::prelude::*;

#[http_trigger(route = "{a=1?}")]
async fn with_default() {}

#[http_trigger(route = "{a?}.txt")]
async fn not_last() {}

#[http_trigger(route = "a-{b?}")]
async fn not_alone() {}

fn main() {}
