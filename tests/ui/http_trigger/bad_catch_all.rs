use durable_functions::prelude::*;

#[http_trigger(route = "{*a}/b")]
async fn not_last() {}

#[http_trigger(route = "a{*b}")]
async fn not_alone() {}

#[http_trigger(route = "{*a?}")]
async fn optional() {}

fn main() {}
