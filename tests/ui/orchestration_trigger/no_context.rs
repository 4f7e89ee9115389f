use durable_functions::prelude::*;

#[orchestration_trigger]
async fn nothing() {}

#[orchestration_trigger]
async fn input_only(_name: String) {}

fn main() {}
