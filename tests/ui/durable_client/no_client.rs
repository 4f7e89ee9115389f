use durable_functions::prelude::*;

#[durable_client]
#[activity_trigger]
async fn above(_n: u32) {}

#[activity_trigger]
#[durable_client]
async fn below(_n: u32) {}

fn main() {}
