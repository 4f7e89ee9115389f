//! The engine over a real SQLite file, each scenario resident and evicted after every turn; in `killed`, with the process gone after every commit.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]
#![allow(unreachable_pub, reason = "one binary, whose modules see each other")]

mod children;
mod entities;
mod events;
mod functions;
mod generations;
mod host;
mod http;
mod killed;
mod lifecycle;
mod lifecycle_functions;
mod notifications;
mod quick;
mod rewind;
mod scenarios;
mod versions;
