//! Complex segments, such as `{file}.{ext?}`: matched from the right, every placeholder taking as little as it can
//! but one character, and the first all that is left.

use super::case;
use super::segment::{Part, Placeholder};
use super::template::Values;

/// Matches the decoded `text` of one segment and pushes the values.
pub(super) fn take<'t>(parts: &'t [Part], text: &str, values: &mut Values<'t>) -> Option<()> {
    if let Some(cut) = cut(parts, text) {
        return push(&cut, values);
    }
    let [front @ .., Part::Literal(dot), Part::Placeholder(last)] = parts else {
        return None;
    };
    if !last.optional || text.ends_with(dot.as_str()) {
        return None;
    }
    push(&self::cut(front, text)?, values)?;
    values.push(last.absent()?);
    Some(())
}

type Cut<'t, 's> = Vec<(&'t Placeholder, &'s str)>;

fn push<'t>(cut: &Cut<'t, '_>, values: &mut Values<'t>) -> Option<()> {
    for (placeholder, value) in cut {
        values.push(placeholder.take(value)?);
    }
    Some(())
}

/// Cuts `text` into the values of the placeholders, from left to right.
fn cut<'t, 's>(parts: &'t [Part], text: &'s str) -> Option<Cut<'t, 's>> {
    let mut cut = Vec::new();
    let mut left = text;
    let mut waiting: Option<&Placeholder> = None;
    for (index, part) in parts.iter().enumerate().rev() {
        match part {
            Part::Placeholder(placeholder) => waiting = Some(placeholder),
            Part::Literal(literal) => {
                let (before, after) = split_last(left, literal, waiting.is_some())?;
                match waiting.take() {
                    Some(placeholder) => cut.push((placeholder, after)),
                    None if after.is_empty() => {}
                    None => return None,
                }
                if index == 0 && !before.is_empty() {
                    return None;
                }
                left = before;
            }
        }
    }
    if let Some(placeholder) = waiting {
        cut.push((placeholder, left));
    }
    cut.reverse();
    cut.iter()
        .all(|(_, value)| !value.is_empty())
        .then_some(cut)
}

/// What stands before and after the last `literal` in `text`; `followed`: at least one character comes after it.
fn split_last<'s>(text: &'s str, literal: &str, followed: bool) -> Option<(&'s str, &'s str)> {
    text.char_indices().rev().find_map(|(start, _)| {
        let (before, from) = text.split_at(start);
        let after = from.get(case::prefix(from, literal)?..)?;
        (!followed || !after.is_empty()).then_some((before, after))
    })
}
