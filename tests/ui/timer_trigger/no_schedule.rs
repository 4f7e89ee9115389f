use durable_functions::prelude::*;

#[timer_trigger]
async fn hourly() {}

fn main() {}
