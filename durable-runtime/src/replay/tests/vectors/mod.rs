//! The reference's vectors, as far as the core alone decides them. Each doc comment names its number in the list of spec 7.6.

mod choices;
mod determinism;
mod events;
mod generations;
mod joins;
mod limits;
mod retries;
mod suspension;
mod timers;

use durable_macros::activity_trigger;

#[activity_trigger(crate = crate)]
fn work(n: u64) -> u64 {
    n
}

#[activity_trigger(crate = crate)]
fn other(n: u64) -> u64 {
    n
}
