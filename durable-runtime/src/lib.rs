//! The engine of durable-functions: orchestrations that survive, without HTTP. Applications use the crate `durable-functions`.
pub mod model;
pub mod store;
