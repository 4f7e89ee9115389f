use durable_functions::prelude::*;

struct Declined;

#[timer_trigger(schedule = "0 0 * * * *")]
async fn declines() -> Result<(), Declined> {
    Err(Declined)
}

fn main() {}
