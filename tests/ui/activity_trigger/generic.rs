use durable_functions::prelude::*;

#[activity_trigger]
async fn of_type<T>(_value: T) {}

#[activity_trigger]
async fn of_lifetime<'a>(_value: &'a str) {}

#[activity_trigger]
async fn of_impl(_value: impl Into<String>) {}

fn main() {}
