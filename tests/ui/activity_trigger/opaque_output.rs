use durable_functions::prelude::*;

#[activity_trigger]
async fn opaque() -> impl Sized {}

fn main() {}
