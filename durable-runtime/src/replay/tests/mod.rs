//! The replay core held against a model of its semantics, and against the reference's vectors.

mod compare;
mod drive;
mod engine;
mod given;
mod interpret;
mod legal;
mod model;
mod mutations;
mod node;
mod polls;
mod program;
mod properties;
mod vectors;
mod world;
