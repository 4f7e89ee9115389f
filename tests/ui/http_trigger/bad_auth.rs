use durable_functions::prelude::*;

#[http_trigger(auth = "anonymus")]
async fn near() {}

#[http_trigger(auth = "user")]
async fn far() {}

fn main() {}
