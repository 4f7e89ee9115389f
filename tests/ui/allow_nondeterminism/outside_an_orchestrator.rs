use durable_functions::prelude::*;

#[allow_nondeterminism]
async fn helper() {}

fn main() {}
