use durable_functions::prelude::*;

#[timer_trigger(schedule = "0 60 * * * *")]
fn minute() {}

#[timer_trigger(schedule = "0 0 22-2 * * *")]
fn backwards() {}

#[timer_trigger(schedule = "0 0 0 * * MONDAY")]
fn weekday() {}

#[timer_trigger(schedule = "*/0 * * * * *")]
fn step() {}

#[timer_trigger(schedule = "* * *")]
fn three() {}

#[timer_trigger(schedule = "00:05:00")]
fn span() {}

#[timer_trigger(schedule = "0 0 0 30 2 *")]
fn never() {}

fn main() {}
