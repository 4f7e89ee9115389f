use durable_functions::prelude::*;

#[timer_trigger(schedule = "0 0 * * * *")]
async fn number() -> u32 {
    1
}

#[timer_trigger(schedule = "0 0 * * * *")]
async fn fallible() -> Result<Vec<String>> {
    Ok(Vec::new())
}

fn main() {}
