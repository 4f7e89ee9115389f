use durable_functions::prelude::*;

#[http_trigger(methods = ["psot"])]
async fn near() {}

#[http_trigger(methods = ["get", "GET"])]
async fn twice() {}

#[http_trigger(methods = "get")]
async fn not_a_list() {}

#[http_trigger(methods = [get])]
async fn not_text() {}

fn main() {}
