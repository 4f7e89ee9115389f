//! What a template is made of.

use super::constraint::Constraint;

/// What stands between two slashes of a template.
#[derive(Debug, Clone)]
pub(super) enum Segment {
    /// Nothing but text.
    Literal(String),
    /// Nothing but one placeholder.
    Placeholder(Placeholder),
    /// Text and placeholders by turns.
    Complex(Vec<Part>),
}

/// A part of a complex segment.
#[derive(Debug, Clone)]
pub(super) enum Part {
    /// Text.
    Literal(String),
    /// A placeholder.
    Placeholder(Placeholder),
}

/// `{name:constraint=default}`, `{name?}`, `{*name}`.
#[derive(Debug, Clone)]
pub(super) struct Placeholder {
    pub(super) name: String,
    pub(super) constraints: Vec<Constraint>,
    pub(super) default: Option<String>,
    pub(super) optional: bool,
    pub(super) catch_all: bool,
}

impl Segment {
    /// The segment of `parts`, in the simplest form that says the same.
    pub(super) fn of(mut parts: Vec<Part>) -> Segment {
        match (parts.pop(), parts.is_empty()) {
            (Some(Part::Literal(text)), true) => Segment::Literal(text),
            (Some(Part::Placeholder(placeholder)), true) => Segment::Placeholder(placeholder),
            (last, _) => {
                parts.extend(last);
                Segment::Complex(parts)
            }
        }
    }

    /// The placeholders, from left to right.
    pub(super) fn placeholders(&self) -> impl Iterator<Item = &Placeholder> {
        let (single, parts) = match self {
            Segment::Literal(_) => (None, [].as_slice()),
            Segment::Placeholder(placeholder) => (Some(placeholder), [].as_slice()),
            Segment::Complex(parts) => (None, parts.as_slice()),
        };
        single
            .into_iter()
            .chain(parts.iter().filter_map(Part::placeholder))
    }

    /// How little a segment says: text 1, a constrained or complex one 2, a placeholder 3, catch-alls 4 and 5.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Segment::Literal(_) => 1,
            Segment::Complex(_) => 2,
            Segment::Placeholder(placeholder) => {
                let free = u8::from(placeholder.constraints.is_empty());
                free + if placeholder.catch_all { 4 } else { 2 }
            }
        }
    }
}

impl Part {
    /// The placeholder, if the part is one.
    pub(super) fn placeholder(&self) -> Option<&Placeholder> {
        match self {
            Part::Literal(_) => None,
            Part::Placeholder(placeholder) => Some(placeholder),
        }
    }
}
