use durable_functions::prelude::*;

#[activity_trigger(name = 5)]
async fn number_for_text() {}

#[activity_trigger(name)]
async fn no_value() {}

#[activity_trigger(name("x"))]
async fn list() {}

#[activity_trigger(max_concurrency = "4")]
async fn text_for_number() {}

#[activity_trigger(crate = 5)]
async fn number_for_path() {}

fn main() {}
