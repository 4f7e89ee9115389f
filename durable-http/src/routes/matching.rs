//! Matching a request path against the segments of a template.

use super::case::same;
use super::complex;
use super::decode::decode;
use super::segment::{Placeholder, Segment};
use super::template::Values;

/// The values of the placeholders in `path`, which is percent-encoded and has no leading slash.
pub(super) fn values<'t>(segments: &'t [Segment], path: &str) -> Option<Values<'t>> {
    let mut values = Values::new();
    let mut rest = path;
    for segment in segments {
        if let Segment::Placeholder(placeholder) = segment
            && placeholder.catch_all
        {
            values.push(placeholder.swallow(rest)?);
            return Some(values);
        }
        match split(rest) {
            Some((text, after)) => {
                segment.take(text, &mut values)?;
                rest = after;
            }
            None => values.push(segment.absent()?),
        }
    }
    rest.is_empty().then_some(values)
}

/// The first segment of `path`, and what follows its slash; a trailing slash opens no segment.
pub(super) fn split(path: &str) -> Option<(&str, &str)> {
    if path.is_empty() {
        return None;
    }
    let slash = path.bytes().position(|byte| byte == b'/');
    Some(slash.map_or((path, ""), |at| (&path[..at], &path[at + 1..])))
}

impl Segment {
    fn take<'t>(&'t self, text: &str, values: &mut Values<'t>) -> Option<()> {
        if text.is_empty() {
            return None;
        }
        let text = decode(text);
        match self {
            Segment::Literal(literal) => same(literal, &text).then_some(()),
            Segment::Placeholder(placeholder) => {
                values.push(placeholder.take(&text)?);
                Some(())
            }
            Segment::Complex(parts) => complex::take(parts, &text, values),
        }
    }

    fn absent(&self) -> Option<(&str, Option<String>)> {
        match self {
            Segment::Placeholder(placeholder) => placeholder.absent(),
            Segment::Literal(_) | Segment::Complex(_) => None,
        }
    }
}

impl Placeholder {
    /// The placeholder with the decoded `value`, if the constraints accept it.
    pub(super) fn take(&self, value: &str) -> Option<(&str, Option<String>)> {
        self.accepts(value)
            .then(|| (self.name.as_str(), Some(value.to_owned())))
    }

    /// The placeholder with no value, or with its default, if it can be left out.
    pub(super) fn absent(&self) -> Option<(&str, Option<String>)> {
        match &self.default {
            Some(default) => self.take(default),
            None => self.optional.then_some((self.name.as_str(), None)),
        }
    }

    /// A catch-all with all that is left of the path.
    fn swallow(&self, rest: &str) -> Option<(&str, Option<String>)> {
        if !rest.is_empty() {
            return self.take(&decode(rest));
        }
        if self.default.is_some() {
            return self.absent();
        }
        let accepted = self.constraints.iter().all(|one| one.accepts_nothing());
        accepted.then_some((self.name.as_str(), None))
    }

    fn accepts(&self, value: &str) -> bool {
        self.constraints.iter().all(|one| one.accepts(value))
    }
}
