//! Values as texts of configuration.

use std::time::Duration;

/// `true` or `false`, in any case.
pub(in crate::host) fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// `hh:mm[:ss[.fff]]`, with days and a dot before if need be.
pub(in crate::host) fn span(text: &str) -> Option<Duration> {
    let fields: Vec<&str> = text.trim().split(':').collect();
    let (first, minutes, seconds) = match fields[..] {
        [hours, minutes] => (hours, minutes, "0"),
        [hours, minutes, seconds] => (hours, minutes, seconds),
        _ => return None,
    };
    let (days, hours) = first.split_once('.').unwrap_or(("0", first));
    let (days, hours) = (days.parse::<u32>().ok()?, below(hours, 24)?);
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let minutes = (u64::from(days) * 24 + hours) * 60 + below(minutes, 60)?;
    let whole = Duration::from_secs(minutes * 60 + below(whole, 60)?);
    if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanos = format!("{fraction:0<9}").parse().ok()?;
    Some(whole + Duration::from_nanos(nanos))
}

fn below(text: &str, limit: u64) -> Option<u64> {
    text.parse().ok().filter(|&number| number < limit)
}
