use durable_functions::prelude::*;

#[http_trigger]
async fn acts(_ctx: ActivityContext) {}

fn main() {}
