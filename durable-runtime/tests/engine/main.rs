//! The engine over a real SQLite file, each scenario three times: resident, evicted after every turn, and with the process gone after every
//! commit (`mortal.rs`); what they leave, histories included, is held against each other (`same.rs`).
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
mod holders_gone;
mod host;
mod http;
mod killed;
mod lifecycle;
mod lifecycle_functions;
mod limits;
mod log;
mod mortal;
mod notifications;
mod objects;
mod queued;
mod quick;
mod rewind;
mod same;
mod scenarios;
mod sizes;
mod straying;
mod versions;
