//! A route template that has been read.

use super::error::TemplateError;
use super::segment::Segment;
use super::{matching, parse};

/// The placeholders of a template, each with its value in a path.
pub(crate) type Values<'t> = Vec<(&'t str, Option<String>)>;

/// A route template, such as `products/{category:alpha}/{id:int?}`.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    text: String,
    segments: Vec<Segment>,
}

impl Template {
    /// Reads a template; a leading `/` or `~/` and a trailing `/` say nothing.
    pub(crate) fn parse(text: &str) -> Result<Template, TemplateError> {
        let segments = parse::segments(text)?;
        let bare = text.strip_prefix('~').unwrap_or(text);
        Ok(Template {
            text: format!("/{}", bare.trim_matches('/')),
            segments,
        })
    }

    /// The template with a leading `/` and without a trailing one.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The names of the placeholders, from left to right.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let placeholders = self.segments.iter().flat_map(Segment::placeholders);
        placeholders.map(|placeholder| placeholder.name.as_str())
    }

    /// The values that the placeholders have in `path`, which is percent-encoded and starts with `/`.
    pub(crate) fn matches(&self, path: &str) -> Option<Values<'_>> {
        matching::values(&self.segments, path.strip_prefix('/')?)
    }

    /// What to sort by for the most specific template to come first.
    pub(crate) fn specificity(&self) -> Vec<u8> {
        self.segments.iter().map(Segment::rank).collect()
    }

    /// The text of the segments that the template starts with, up to the first placeholder.
    pub(super) fn literals(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().map_while(|segment| match segment {
            Segment::Literal(text) => Some(text.as_str()),
            Segment::Placeholder(_) | Segment::Complex(_) => None,
        })
    }
}
