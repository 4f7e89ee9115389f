//! Inline constraints: `{id:int:min(1)}`.

use regex::{Regex, RegexBuilder};

use super::number::whole;
use super::{date, guid, number};

/// A test that a value has to pass.
#[derive(Debug, Clone)]
pub(super) enum Constraint {
    Int,
    Long,
    Bool,
    DateTime,
    Decimal,
    Float,
    Guid,
    Alpha,
    /// Length in UTF-16 units, both ends included.
    Length(usize, usize),
    /// A whole number, both ends included.
    Range(i64, i64),
    Regex(Regex),
    Required,
    File,
    NonFile,
}

impl Constraint {
    /// Reads `name` with what stands in its parentheses, or says what is wrong and what to write.
    pub(super) fn of(name: &str, arguments: Option<&str>) -> Result<Constraint, String> {
        let name = name.to_ascii_lowercase();
        match (plain(&name), arguments) {
            (Some(constraint), None) => Ok(constraint),
            (Some(_), Some(_)) => Err(format!(
                "the constraint `{name}` takes nothing in parentheses; write `{name}`"
            )),
            (None, _) => with_arguments(&name, arguments),
        }
    }

    /// Whether `value` passes.
    pub(super) fn accepts(&self, value: &str) -> bool {
        match self {
            Constraint::Int => whole::<i32>(value).is_some(),
            Constraint::Long => whole::<i64>(value).is_some(),
            Constraint::Bool => is_bool(value),
            Constraint::DateTime => date::is_datetime(value),
            Constraint::Decimal => number::is_decimal(value),
            Constraint::Float => number::is_float(value),
            Constraint::Guid => guid::is_guid(value),
            Constraint::Alpha => value.bytes().all(|byte| byte.is_ascii_alphabetic()),
            Constraint::Length(least, most) => {
                (*least..=*most).contains(&value.encode_utf16().count())
            }
            Constraint::Range(least, most) => {
                whole::<i64>(value).is_some_and(|value| (*least..=*most).contains(&value))
            }
            Constraint::Regex(regex) => regex.is_match(value),
            Constraint::Required => !value.is_empty(),
            Constraint::File => is_file(value),
            Constraint::NonFile => !is_file(value),
        }
    }

    /// Whether a catch-all that matched nothing passes: nothing is no file, and no more than that.
    pub(super) fn accepts_nothing(&self) -> bool {
        matches!(self, Constraint::NonFile)
    }
}

fn plain(name: &str) -> Option<Constraint> {
    Some(match name {
        "int" => Constraint::Int,
        "long" => Constraint::Long,
        "bool" => Constraint::Bool,
        "datetime" => Constraint::DateTime,
        "decimal" => Constraint::Decimal,
        "double" | "float" => Constraint::Float,
        "guid" => Constraint::Guid,
        "alpha" => Constraint::Alpha,
        "required" => Constraint::Required,
        "file" => Constraint::File,
        "nonfile" => Constraint::NonFile,
        _ => return None,
    })
}

fn with_arguments(name: &str, arguments: Option<&str>) -> Result<Constraint, String> {
    let text = arguments.unwrap_or_default();
    let read = match name {
        "minlength" => one(text).map(|least| Constraint::Length(least, usize::MAX)),
        "maxlength" => one(text).map(|most| Constraint::Length(0, most)),
        "length" => one(text)
            .map(|length| (length, length))
            .or_else(|| two(text))
            .map(|(least, most)| Constraint::Length(least, most)),
        "min" => one(text).map(|least| Constraint::Range(least, i64::MAX)),
        "max" => one(text).map(|most| Constraint::Range(i64::MIN, most)),
        "range" => two(text).map(|(least, most)| Constraint::Range(least, most)),
        "regex" => return pattern(text),
        _ => return Err(unknown(name)),
    };
    read.ok_or_else(|| {
        let found = arguments.map_or_else(|| "nothing".to_owned(), |text| format!("`({text})`"));
        let wanted = usage(name);
        format!("the constraint `{name}` cannot be read with {found}; write {wanted}")
    })
}

fn usage(name: &str) -> &'static str {
    match name {
        "minlength" => "a length, such as `minlength(4)`",
        "maxlength" => "a length, such as `maxlength(4)`",
        "length" => "one length or the least and the greatest, such as `length(3,5)`",
        "min" => "a whole number, such as `min(18)`",
        "max" => "a whole number, such as `max(120)`",
        _ => "the least and the greatest whole number, such as `range(18,120)`",
    }
}

fn unknown(name: &str) -> String {
    format!(
        "there is no constraint `{name}`; write one of int, long, bool, datetime, decimal, double, float, guid, \
         alpha, minlength(n), maxlength(n), length(n), length(a,b), min(n), max(n), range(a,b), regex(e), \
         required, file, nonfile"
    )
}

fn one<N: std::str::FromStr>(text: &str) -> Option<N> {
    whole(text)
}

fn two<N: std::str::FromStr + PartialOrd>(text: &str) -> Option<(N, N)> {
    let (least, most) = text.split_once(',')?;
    let (least, most) = (whole(least)?, whole(most)?);
    (least <= most).then_some((least, most))
}

fn pattern(text: &str) -> Result<Constraint, String> {
    if text.is_empty() {
        return Err("the constraint `regex` needs a pattern; write `regex(^a+$)`".to_owned());
    }
    let built = RegexBuilder::new(text).case_insensitive(true).build();
    built.map(Constraint::Regex).map_err(|error| {
        let error = error.to_string();
        let reason = error.lines().last().unwrap_or_default().trim();
        format!(
            "the pattern `{text}` is none ({reason}); double the braces of a placeholder, and write neither \
             look-around nor back-references"
        )
    })
}

fn is_bool(value: &str) -> bool {
    let value = value.trim();
    value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false")
}

/// Whether the last part of a path has a `.` followed by anything but dots.
fn is_file(value: &str) -> bool {
    let name = value.rsplit('/').next().unwrap_or_default();
    name.split_once('.')
        .is_some_and(|(_, after)| after.chars().any(|c| c != '.'))
}
