use durable_functions::prelude::*;

#[http_trigger]
mod server {}

fn main() {}
