//! Reading what stands between the braces of a placeholder.

use super::constraint::Constraint;
use super::segment::Placeholder;

/// Reads a placeholder whose doubled braces have been made single, or says what is wrong and what to write.
pub(super) fn read(inside: &str) -> Result<Placeholder, String> {
    let named = inside.trim_start_matches('*');
    let stars = inside.len() - named.len();
    let (body, optional) = match named.strip_suffix('?') {
        Some(body) => (body, true),
        None => (named, false),
    };
    let (name, rest) = body.split_at(body.find([':', '=']).unwrap_or(body.len()));
    check_name(name, stars)?;
    let (constraints, rest) = constraints(rest)?;
    let default = rest.strip_prefix('=').map(str::to_owned);
    if optional && default.is_some() {
        return Err(format!(
            "`{name}` has a default and a `?`; a default makes it optional already, so remove one of them"
        ));
    }
    if optional && stars > 0 {
        return Err(format!(
            "the catch-all `{name}` matches nothing as well; remove its `?`"
        ));
    }
    Ok(Placeholder {
        name: name.to_owned(),
        constraints,
        default,
        optional,
        catch_all: stars > 0,
    })
}

fn check_name(name: &str, stars: usize) -> Result<(), String> {
    if stars > 2 {
        return Err("a catch-all has one or two stars; write `{*path}`".to_owned());
    }
    if name.is_empty() {
        return Err("the placeholder has no name; write one, as in `{id}`".to_owned());
    }
    match name.chars().find(|c| "/{}?*".contains(*c)) {
        Some(found) => Err(format!(
            "the name `{name}` holds `{found}`; write it without `/`, `{{`, `}}`, `?` and `*`"
        )),
        None => Ok(()),
    }
}

/// Reads `:constraint` as often as it comes, and hands back what follows.
fn constraints(text: &str) -> Result<(Vec<Constraint>, &str), String> {
    let mut constraints = Vec::new();
    let mut rest = text;
    while let Some(after) = rest.strip_prefix(':') {
        let end = after.find([':', '=', '(']).unwrap_or(after.len());
        let (name, tail) = after.split_at(end);
        let name = name.trim();
        if name.is_empty() {
            return Err("no constraint follows a `:`; write one, such as `:int`".to_owned());
        }
        let (arguments, tail) = arguments(name, tail)?;
        constraints.push(Constraint::of(name, arguments)?);
        rest = tail;
    }
    Ok((constraints, rest))
}

/// Reads what stands in parentheses, if anything; the one that closes is the first with `:`, `=` or nothing after it.
fn arguments<'s>(name: &str, text: &'s str) -> Result<(Option<&'s str>, &'s str), String> {
    let Some(inside) = text.strip_prefix('(') else {
        return Ok((None, text));
    };
    let closing = inside.match_indices(')').find_map(|(at, _)| {
        let after = inside.get(at + 1..)?;
        let ends = after.is_empty() || after.starts_with([':', '=']);
        ends.then_some((inside.get(..at)?, after))
    });
    match closing {
        Some((arguments, after)) => Ok((Some(arguments), after)),
        None => Err(format!(
            "nothing closes the parenthesis of `{name}`; write `)` before what follows it"
        )),
    }
}
