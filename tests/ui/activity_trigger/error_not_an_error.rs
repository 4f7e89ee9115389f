use durable_functions::prelude::*;

struct Declined;

#[activity_trigger]
async fn charge() -> Result<u32, Declined> {
    Err(Declined)
}

fn main() {}
