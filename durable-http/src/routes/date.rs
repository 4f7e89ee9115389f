//! Dates and times as callers write them.

use chrono::{DateTime, NaiveDate, NaiveTime};

const DATES: [&str; 3] = ["%Y-%m-%d", "%m/%d/%Y", "%Y/%m/%d"];
const TIMES: [&str; 2] = ["%H:%M:%S%.f", "%H:%M"];
const HALF_DAY_TIMES: [&str; 2] = ["%I:%M:%S%p", "%I:%M%p"];

/// Whether `text` is RFC 3339, RFC 2822, or a date (`2016-12-31`, `12/31/2016`, `2016/12/31`) with or without a
/// time (`19:32`, `19:32:07.5`, `7:32 pm`) after a space or a `T`, and `Z` or an offset after a 24-hour time.
pub(super) fn is_datetime(text: &str) -> bool {
    let text = text.trim();
    if DateTime::parse_from_rfc3339(text).is_ok() || DateTime::parse_from_rfc2822(text).is_ok() {
        return true;
    }
    match text.split_once([' ', 'T', 't']) {
        Some((date, time)) => is_date(date) && is_time(time.trim()),
        None => is_date(text),
    }
}

fn is_date(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.len() <= 10
        && DATES
            .iter()
            .any(|format| NaiveDate::parse_from_str(text, format).is_ok())
}

fn is_time(text: &str) -> bool {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let compact: String = text.chars().filter(|c| *c != ' ').collect();
    reads(&compact, &HALF_DAY_TIMES) || reads(without_zone(&compact), &TIMES)
}

fn reads(text: &str, formats: &[&str]) -> bool {
    formats
        .iter()
        .any(|format| NaiveTime::parse_from_str(text, format).is_ok())
}

/// `text` less a `Z` or an offset of the form `+01:00`.
fn without_zone(text: &str) -> &str {
    if let Some(time) = text.strip_suffix(['Z', 'z']) {
        return time;
    }
    match text.rsplit_once(['+', '-']) {
        Some((time, offset)) if reads(offset, &["%H:%M"]) => time,
        _ => text,
    }
}
