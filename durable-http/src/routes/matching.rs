//! A template against the segments of a path.

use super::template::{Param, Part, Segment, Template};

/// Values by name; `None`: absent.
pub(super) type Values<'t> = Vec<(&'t str, Option<String>)>;

/// The path's segments, undecoded; one trailing slash is ignored. `None`: an inner segment is empty.
pub(super) fn segments(path: &str) -> Option<Vec<&str>> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Some(Vec::new());
    }
    let segments: Vec<&str> = path.split('/').collect();
    segments
        .iter()
        .all(|segment| !segment.is_empty())
        .then_some(segments)
}

impl Template {
    /// The values, if the path fits.
    pub(super) fn matches(&self, path: &[&str]) -> Option<Values<'_>> {
        let mut values = Values::new();
        let mut given = path.iter();
        for segment in &self.segments {
            match segment {
                Segment::CatchAll(param) => {
                    let rest: Vec<String> = given.by_ref().map(|part| decode(part)).collect();
                    let value = (!rest.is_empty()).then(|| rest.join("/"));
                    take(param, value, &mut values)?;
                }
                Segment::Param(param) => match given.next() {
                    Some(part) => take(param, Some(decode(part)), &mut values)?,
                    None if param.is_omittable() => take(param, None, &mut values)?,
                    None => return None,
                },
                Segment::Literal(literal) => {
                    let part = decode(given.next()?);
                    if !same(&part, literal) {
                        return None;
                    }
                }
                Segment::Complex(parts) => {
                    match_complex(parts, &decode(given.next()?), &mut values)?
                }
            }
        }
        given.next().is_none().then_some(values)
    }
}

/// Adds a value that passes its constraints, or the default, or nothing.
fn take<'t>(param: &'t Param, value: Option<String>, values: &mut Values<'t>) -> Option<()> {
    let value = value.or_else(|| param.default.clone());
    if value.as_deref().is_some_and(|value| !param.admits(value)) {
        return None;
    }
    values.push((&param.name, value));
    Some(())
}

fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || a.to_lowercase() == b.to_lowercase()
}

/// From the right, each literal at its last place: `{file}.{ext}` on `a.b.c` gives `a.b` and `c`.
fn match_complex<'t>(parts: &'t [Part], text: &str, values: &mut Values<'t>) -> Option<()> {
    if let Some(found) = split_complex(parts, text) {
        return found
            .into_iter()
            .try_for_each(|(param, value)| take(param, Some(value), values));
    }
    // The optional last part and the dot before it may both be absent.
    let (Part::Param(last), before) = parts.split_last()? else {
        return None;
    };
    let (Part::Literal(dot), fewer) = before.split_last()? else {
        return None;
    };
    if !last.optional {
        return None;
    }
    let literal = dot.strip_suffix('.')?;
    let mut shorter: Vec<Part> = fewer.to_vec();
    if !literal.is_empty() {
        shorter.push(Part::Literal(literal.to_owned()));
    }
    let found: Vec<String> = split_complex(&shorter, text)?
        .into_iter()
        .map(|(_, value)| value)
        .collect();
    let params = fewer.iter().filter_map(|part| match part {
        Part::Param(param) => Some(param),
        Part::Literal(_) => None,
    });
    for (param, value) in params.zip(found) {
        take(param, Some(value), values)?;
    }
    take(last, None, values)
}

fn split_complex<'t>(parts: &'t [Part], text: &str) -> Option<Vec<(&'t Param, String)>> {
    let mut end = text.len();
    let mut found = Vec::new();
    let mut open: Option<&Param> = None;
    for part in parts.iter().rev() {
        match (part, open) {
            (Part::Param(param), _) => open = Some(param),
            (Part::Literal(literal), None) => {
                let head = text.get(..end)?;
                let at = head.len().checked_sub(literal.len())?;
                if !head.get(at..)?.eq_ignore_ascii_case(literal) {
                    return None;
                }
                end = at;
            }
            (Part::Literal(literal), Some(param)) => {
                let head = text.get(..end)?.to_ascii_lowercase();
                let at = head.rfind(&literal.to_ascii_lowercase())?;
                let value = text.get(at + literal.len()..end)?;
                if value.is_empty() {
                    return None;
                }
                found.push((param, value.to_owned()));
                open = None;
                end = at;
            }
        }
    }
    match open {
        Some(_) if end == 0 => return None,
        Some(param) => found.push((param, text.get(..end)?.to_owned())),
        None if end != 0 => return None,
        None => {}
    }
    found.reverse();
    Some(found)
}

/// Percent-escapes become characters, but `%2F` stays: it is no separator.
pub(super) fn decode(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let raw = text.as_bytes();
    let mut index = 0;
    while let Some(&byte) = raw.get(index) {
        let digits = text.get(index + 1..index + 3).filter(|_| byte == b'%');
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(value) if value != b'/' => {
                bytes.push(value);
                index += 3;
            }
            _ => {
                bytes.push(byte);
                index += 1;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}
