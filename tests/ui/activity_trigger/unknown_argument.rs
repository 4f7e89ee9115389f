use durable_functions::prelude::*;

#[activity_trigger(timout = "5m")]
async fn near(n: u32) -> u32 {
    n
}

#[activity_trigger(colour = "red")]
async fn far(n: u32) -> u32 {
    n
}

fn main() {}
