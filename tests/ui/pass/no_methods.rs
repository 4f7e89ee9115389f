//! An empty list of methods means all of them: that is a warning, not an error.
use durable_functions::prelude::*;

#[http_trigger(methods = [])]
async fn anything() {}

fn main() {}
