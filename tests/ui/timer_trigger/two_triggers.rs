use durable_functions::prelude::*;

#[timer_trigger(schedule = "0 0 * * * *")]
#[activity_trigger]
async fn both() {}

fn main() {}
