use durable_functions::prelude::*;

use std::borrow::Cow;

#[activity_trigger]
async fn text(_name: &str) {}

#[activity_trigger]
async fn slice(_numbers: &[u8]) {}

#[activity_trigger]
async fn context(_ctx: &ActivityContext) {}

#[activity_trigger]
async fn cow(_name: Cow<'_, str>) {}

fn main() {}
