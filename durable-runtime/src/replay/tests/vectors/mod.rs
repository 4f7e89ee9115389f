//! The reference's vectors, as far as the core alone decides them. Each doc comment names its number in the list of spec 7.6. Every turn is made
//! twice, by the instance that stayed in memory and by one that knows no more than the histories of the turns before, and must be the same:
//! all that evicting it, or a process that is gone after a commit, can change here.

mod choices;
mod determinism;
mod events;
mod generations;
mod joins;
mod limits;
mod retries;
mod straying;
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
