use durable_functions::prelude::*;

#[activity_trigger]
async fn sometimes(#[cfg(unix)] _n: u32) {}

fn main() {}
