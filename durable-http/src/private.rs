//! Exactly what generated code uses, besides what `durable-runtime` gives it.

pub use durable_runtime::__private::*;

pub use crate::binding::{
    AuthLevel, BodyProbe, BodySpec, HttpInvocation, HttpRegistration, NoSchema, Webhook,
};
