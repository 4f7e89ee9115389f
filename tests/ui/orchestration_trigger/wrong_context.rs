use durable_functions::prelude::*;

#[orchestration_trigger]
async fn acts(_ctx: ActivityContext) {}

fn main() {}
