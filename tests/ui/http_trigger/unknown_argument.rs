use durable_functions::prelude::*;

#[http_trigger(method = ["get"])]
async fn near() {}

fn main() {}
