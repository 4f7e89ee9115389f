use durable_functions::prelude::*;

#[durable_client]
struct Client;

fn main() {}
