#![deny(warnings)]
use durable_functions::prelude::*;

#[http_trigger(methods = [])]
async fn anything() {}

fn main() {}
