use durable_functions::prelude::*;

#[http_trigger]
async fn any<T>(_body: Json<T>) {}

fn main() {}
