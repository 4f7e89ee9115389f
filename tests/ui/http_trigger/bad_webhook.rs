use durable_functions::prelude::*;

#[http_trigger(webhook = "gitlab")]
async fn unknown() {}

#[http_trigger(webhook = "github", methods = ["post"])]
async fn with_methods() {}

fn main() {}
