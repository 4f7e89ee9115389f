use durable_functions::prelude::*;

#[activity_trigger]
const fn constant() {}

#[activity_trigger]
unsafe fn dangerous() {}

#[activity_trigger]
extern "C" fn foreign() {}

fn main() {}
