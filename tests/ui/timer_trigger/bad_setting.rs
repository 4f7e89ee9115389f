use durable_functions::prelude::*;

#[timer_trigger(schedule = "%NIGHTLY")]
fn open() {}

#[timer_trigger(schedule = "0 %% * * * *")]
fn nameless() {}

fn main() {}
