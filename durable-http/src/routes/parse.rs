//! Reading a template: segments, and the parts of a segment.

use super::case::same;
use super::error::TemplateError;
use super::placeholder;
use super::segment::{Part, Placeholder, Segment};

/// Reads the segments of a template.
pub(super) fn segments(text: &str) -> Result<Vec<Segment>, TemplateError> {
    let mut reader = Reader {
        text,
        at: start(text)?,
    };
    let mut segments: Vec<Segment> = Vec::new();
    while reader.peek().is_some() {
        let start = reader.at;
        if let Some(last) = segments.last()
            && last.placeholders().any(|placeholder| placeholder.catch_all)
        {
            return Err(reader.error(start, "a catch-all comes last; remove what follows it"));
        }
        let parts = reader.segment(&segments)?;
        check(&parts).map_err(|problem| reader.error(start, problem))?;
        segments.push(Segment::of(parts));
        reader.accept('/');
    }
    Ok(segments)
}

/// Where the first segment starts.
fn start(text: &str) -> Result<usize, TemplateError> {
    match text.strip_prefix('~') {
        Some(rest) if rest.starts_with('/') => Ok(2),
        Some(_) => {
            let problem = "`~` opens a template only in front of `/`; remove it or write `~/`";
            Err(TemplateError::new(text, 0, problem))
        }
        None => Ok(usize::from(text.starts_with('/'))),
    }
}

struct Reader<'s> {
    text: &'s str,
    at: usize,
}

impl<'s> Reader<'s> {
    fn rest(&self) -> &'s str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn accept(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn error(&self, at: usize, problem: impl Into<String>) -> TemplateError {
        TemplateError::new(self.text, at, problem)
    }

    /// Reads up to a slash or the end.
    fn segment(&mut self, earlier: &[Segment]) -> Result<Vec<Part>, TemplateError> {
        let mut parts = Vec::new();
        while let Some(next) = self.peek().filter(|next| *next != '/') {
            if next == '{' && !self.rest().starts_with("{{") {
                let at = self.at;
                let placeholder = self.placeholder()?;
                let mut names = placeholders(earlier, &parts);
                if names.any(|other| same(&other.name, &placeholder.name)) {
                    let name = &placeholder.name;
                    let problem = format!(
                        "there is a placeholder `{name}` already; give this one another name"
                    );
                    return Err(self.error(at, problem));
                }
                drop(names);
                parts.push(Part::Placeholder(placeholder));
            } else {
                parts.push(Part::Literal(self.literal()?));
            }
        }
        if parts.is_empty() {
            return Err(self.error(
                self.at,
                "a segment is empty; write one `/` between segments",
            ));
        }
        Ok(parts)
    }

    /// Reads text up to a placeholder, a slash or the end.
    fn literal(&mut self) -> Result<String, TemplateError> {
        let mut literal = String::new();
        while let Some(next) = self.peek() {
            let at = self.at;
            match next {
                '/' => break,
                '{' if !self.rest().starts_with("{{") => break,
                '?' => return Err(self.error(at, QUESTION)),
                '}' if !self.rest().starts_with("}}") => return Err(self.error(at, CLOSING)),
                '{' | '}' => self.at += 1,
                _ => {}
            }
            self.at += next.len_utf8();
            literal.push(next);
        }
        Ok(literal)
    }

    /// Reads from a brace to the one that closes it.
    fn placeholder(&mut self) -> Result<Placeholder, TemplateError> {
        let opening = self.at;
        self.at += 1;
        let mut inside = String::new();
        loop {
            let (at, rest) = (self.at, self.rest());
            let next = self.peek().ok_or_else(|| self.error(opening, UNCLOSED))?;
            self.at += next.len_utf8();
            match next {
                '{' | '}' if rest.starts_with("{{") || rest.starts_with("}}") => self.at += 1,
                '{' => return Err(self.error(at, OPENING)),
                '}' => break,
                _ => {}
            }
            inside.push(next);
        }
        placeholder::read(&inside).map_err(|problem| self.error(opening, problem))
    }
}

const QUESTION: &str =
    "`?` belongs at the end of a placeholder, as in `{id?}`; a query is not part of a route";
const CLOSING: &str = "`}` closes nothing; remove it, or write `}}` for a plain brace";
const OPENING: &str =
    "`{` inside a placeholder; close the placeholder first, or write `{{` for a plain brace";
const UNCLOSED: &str =
    "`{` opens a placeholder that nothing closes; write `}` after it, or `{{` for a plain brace";

fn placeholders<'p>(
    earlier: &'p [Segment],
    parts: &'p [Part],
) -> impl Iterator<Item = &'p Placeholder> {
    let here = parts.iter().filter_map(Part::placeholder);
    earlier.iter().flat_map(Segment::placeholders).chain(here)
}

/// The rules for several parts in one segment.
fn check(parts: &[Part]) -> Result<(), String> {
    for (index, part) in parts.iter().enumerate() {
        let Some(placeholder) = part.placeholder() else {
            continue;
        };
        let name = &placeholder.name;
        if placeholder.catch_all && parts.len() > 1 {
            return Err(format!(
                "the catch-all `{name}` shares its segment; put a `/` before it"
            ));
        }
        let before = index.checked_sub(1).and_then(|before| parts.get(before));
        if before.and_then(Part::placeholder).is_some() {
            return Err(format!(
                "nothing separates `{name}` from the placeholder before it; write text or `/` between them"
            ));
        }
        if placeholder.optional && parts.len() > 1 {
            optional(name, before, index + 1 == parts.len())?;
        }
    }
    Ok(())
}

/// The rule for an optional placeholder beside other parts.
fn optional(name: &str, before: Option<&Part>, last: bool) -> Result<(), String> {
    match before {
        Some(Part::Literal(text)) if last && text == "." => Ok(()),
        _ => Err(format!(
            "`{name}` cannot be optional here: in a segment with other parts that takes the last place and nothing but \
             `.` before it, as in `{{file}}.{{ext?}}`; remove its `?`"
        )),
    }
}
