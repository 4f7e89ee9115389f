//! Which function a request path leads to: route templates, their constraints, and the table that looks them up.
//!
//! The grammar and the order of dispatch are those of Azure Functions: the first function in the order of
//! names, case aside, whose template and methods fit. There is no ranking by specificity unless it is asked for.

mod case;
mod check;
mod complex;
mod constraint;
mod date;
mod decode;
mod describe;
mod error;
#[cfg(any(test, fuzzing))]
mod fuzz;
mod guid;
mod index;
mod matching;
mod number;
mod parse;
mod placeholder;
mod segment;
mod table;
mod template;
#[cfg(test)]
mod tests;

pub(crate) use describe::Shape;
#[cfg(any(test, fuzzing))]
pub(crate) use fuzz::fuzz_route_template;
pub(crate) use table::{RouteSpec, Table};
#[cfg(test)]
use template::Template;
