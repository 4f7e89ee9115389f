use durable_functions::prelude::*;

#[timer_trigger(schedule = "0 0 * * * *")]
struct Hourly;

fn main() {}
