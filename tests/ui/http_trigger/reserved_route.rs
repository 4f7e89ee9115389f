use durable_functions::prelude::*;

#[http_trigger(route = "admin/users")]
async fn users() {}

#[http_trigger]
async fn runtime() {}

#[http_trigger(name = "Admin")]
async fn renamed() {}

fn main() {}
