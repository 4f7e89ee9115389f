//! Routes of HTTP functions: templates with constraints, and the table that dispatches (host.md 1.2-1.4 of the reference). Pure.

mod constraint;
mod matching;
mod table;
mod template;
#[cfg(test)]
mod tests;

pub(crate) use table::{RouteSpec, Table};
