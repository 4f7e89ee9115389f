use durable_functions::prelude::*;

#[activity_trigger]
const fn constant() {}

#[activity_trigger]
unsafe fn dangerous() {}

#[activity_trigger]
extern "C" fn foreign() {}

#[activity_trigger]
unsafe extern "C" fn variadic(all: ...) {}

fn main() {}
