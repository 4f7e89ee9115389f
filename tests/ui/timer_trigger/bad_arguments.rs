use durable_functions::prelude::*;

#[timer_trigger(schedule = 5)]
fn number() {}

#[timer_trigger(schedule = "0 0 * * * *", run_on_startup = "yes")]
fn text() {}

#[timer_trigger(cron = "0 0 * * * *")]
fn unknown() {}

fn main() {}
