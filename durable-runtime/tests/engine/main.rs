//! The engine over a real SQLite file, each scenario resident and evicted after every turn.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]
#![allow(unreachable_pub, reason = "one binary, whose modules see each other")]

mod functions;
mod host;
mod http;
mod scenarios;
