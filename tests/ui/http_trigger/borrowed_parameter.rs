use durable_functions::prelude::*;

#[http_trigger]
async fn reads(_req: &HttpRequest) {}

fn main() {}
