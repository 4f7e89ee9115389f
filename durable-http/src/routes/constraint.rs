//! Inline constraints (1.4).

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use regex::{Regex, RegexBuilder};
use rust_decimal::Decimal;
use uuid::Uuid;

/// What a value must be for the route to lead anywhere.
#[derive(Debug, Clone)]
pub(super) enum Constraint {
    Int,
    Long,
    Bool,
    DateTime,
    Decimal,
    Double,
    Guid,
    Alpha,
    Length(usize, usize),
    Range(i64, i64),
    Regex(Regex),
    Required,
    File,
    NonFile,
}

impl Constraint {
    /// By its name, compared without case, and its arguments.
    pub(super) fn parse(name: &str, args: Option<&str>) -> Result<Self, String> {
        let plain = |constraint: Self| match args {
            None => Ok(constraint),
            Some(_) => Err(format!("the constraint `{name}` takes no argument")),
        };
        match name.to_ascii_lowercase().as_str() {
            "int" => plain(Self::Int),
            "long" => plain(Self::Long),
            "bool" => plain(Self::Bool),
            "datetime" => plain(Self::DateTime),
            "decimal" => plain(Self::Decimal),
            "double" | "float" => plain(Self::Double),
            "guid" => plain(Self::Guid),
            "alpha" => plain(Self::Alpha),
            "required" => plain(Self::Required),
            "file" => plain(Self::File),
            "nonfile" => plain(Self::NonFile),
            "minlength" => Ok(Self::Length(number(name, args)?, usize::MAX)),
            "maxlength" => Ok(Self::Length(0, number(name, args)?)),
            "length" => {
                let (from, to) = pair(args).unwrap_or((args, args));
                Ok(Self::Length(number(name, from)?, number(name, to)?))
            }
            "min" => Ok(Self::Range(number(name, args)?, i64::MAX)),
            "max" => Ok(Self::Range(i64::MIN, number(name, args)?)),
            "range" => {
                let (from, to) = pair(args).ok_or_else(|| {
                    "the constraint `range` takes two numbers: `range(1,9)`".to_owned()
                })?;
                Ok(Self::Range(number(name, from)?, number(name, to)?))
            }
            "regex" => {
                let pattern = args.ok_or_else(|| {
                    "the constraint `regex` takes a pattern: `regex(^a+$)`".to_owned()
                })?;
                let regex = RegexBuilder::new(pattern)
                    .case_insensitive(true)
                    .size_limit(1 << 20)
                    .build();
                regex
                    .map(Self::Regex)
                    .map_err(|e| format!("`{pattern}` is no regular expression: {e}"))
            }
            _ => Err(format!("the constraint `{name}` is unknown")),
        }
    }

    /// Whether the decoded value passes.
    pub(super) fn admits(&self, value: &str) -> bool {
        let trimmed = value.trim();
        match self {
            Self::Int => trimmed.parse::<i32>().is_ok(),
            Self::Long => trimmed.parse::<i64>().is_ok(),
            Self::Bool => {
                trimmed.eq_ignore_ascii_case("true") || trimmed.eq_ignore_ascii_case("false")
            }
            Self::DateTime => is_date_time(trimmed),
            Self::Decimal => {
                !trimmed.contains(['e', 'E', '_'])
                    && without_commas(trimmed).parse::<Decimal>().is_ok()
            }
            Self::Double => is_double(trimmed),
            Self::Guid => is_guid(trimmed),
            Self::Alpha => value.bytes().all(|b| b.is_ascii_alphabetic()),
            Self::Length(from, to) => (*from..=*to).contains(&value.encode_utf16().count()),
            Self::Range(from, to) => trimmed
                .parse::<i64>()
                .is_ok_and(|number| (*from..=*to).contains(&number)),
            Self::Regex(regex) => regex.is_match(value),
            Self::Required => !value.is_empty(),
            Self::File => is_file(value),
            Self::NonFile => !is_file(value),
        }
    }
}

fn pair(args: Option<&str>) -> Option<(Option<&str>, Option<&str>)> {
    args?
        .split_once(',')
        .map(|(from, to)| (Some(from), Some(to)))
}

fn number<T: std::str::FromStr>(name: &str, text: Option<&str>) -> Result<T, String> {
    let text = text.unwrap_or_default().trim();
    text.parse()
        .map_err(|_| format!("the constraint `{name}` takes a whole number; found `{text}`"))
}

fn without_commas(text: &str) -> String {
    text.replace(',', "")
}

/// What .NET reads, which is not all that Rust reads: `NaN` and `Infinity` by name, no `inf`.
fn is_double(text: &str) -> bool {
    if matches!(text, "NaN" | "Infinity" | "-Infinity") {
        return true;
    }
    let digits = text.bytes().any(|b| b.is_ascii_digit());
    digits && !text.contains('_') && without_commas(text).parse::<f64>().is_ok()
}

fn is_date_time(text: &str) -> bool {
    const INSTANTS: [&str; 9] = [
        "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %I:%M%p",
        "%Y-%m-%d %I:%M %p",
        "%Y-%m-%d %I:%M:%S %p",
        "%m/%d/%Y %I:%M %p",
        "%m/%d/%Y %I:%M:%S %p",
    ];
    DateTime::parse_from_rfc3339(text).is_ok()
        || ["%Y-%m-%d", "%m/%d/%Y"]
            .iter()
            .any(|format| NaiveDate::parse_from_str(text, format).is_ok())
        || INSTANTS
            .iter()
            .any(|format| NaiveDateTime::parse_from_str(text, format).is_ok())
}

/// The forms N, D, B, P and X.
fn is_guid(text: &str) -> bool {
    let inner = |open: char, close: char| {
        text.strip_prefix(open)
            .and_then(|rest| rest.strip_suffix(close))
    };
    let hyphenated = |text: &str| text.len() == 36 && Uuid::try_parse(text).is_ok();
    let hex = |text: &str| text.len() == 32 && Uuid::try_parse(text).is_ok();
    let listed = || {
        let digits: String = text
            .replace("0x", "")
            .chars()
            .filter(char::is_ascii_hexdigit)
            .collect();
        text.starts_with("{0x")
            && text.ends_with("}}")
            && text.matches("0x").count() == 11
            && digits.len() == 32
    };
    hex(text)
        || hyphenated(text)
        || inner('{', '}').is_some_and(hyphenated)
        || inner('(', ')').is_some_and(hyphenated)
        || listed()
}

/// Whether the last part of a path has a dot that something follows.
fn is_file(value: &str) -> bool {
    let last = value.rsplit('/').next().unwrap_or_default();
    last.split_once('.')
        .is_some_and(|(_, rest)| rest.chars().any(|c| c != '.'))
}
