use durable_functions::prelude::*;

#[activity_trigger(timeout = "5")]
async fn no_unit() {}

#[activity_trigger(timeout = "0s")]
async fn nothing() {}

#[activity_trigger(timeout = "00:99:00")]
async fn no_clock() {}

fn main() {}
