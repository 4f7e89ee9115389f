use durable_functions::prelude::*;

#[activity_trigger(name = "")]
async fn empty() {}

#[activity_trigger(name = "1st")]
async fn digit_first() {}

#[activity_trigger(name = "say hello")]
async fn space() {}

#[activity_trigger(name = "Host")]
async fn taken() {}

#[activity_trigger(
    name = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
)]
async fn long() {}

#[activity_trigger]
async fn _underscore() {}

fn main() {}
