//! `call_http` from outside: a host, and a server that misbehaves on demand.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]
#![allow(unreachable_pub, reason = "one binary, whose modules see each other")]

mod answers;
mod failures;
mod host;
mod logs;
mod mocked;
mod polls;
mod rules;
mod server;
mod tokens;
mod traces;
mod two_hosts;
