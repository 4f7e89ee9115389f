use durable_functions::prelude::*;

#[activity_trigger]
#[http_trigger]
async fn both() {}

fn main() {}
