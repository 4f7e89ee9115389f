use durable_functions::prelude::*;

#[activity_trigger("say_hello")]
async fn nameless() {}

fn main() {}
