//! Spans of time as .NET writes them: `[d.]hh:mm:ss[.fffffff]`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer};

/// A span as .NET writes it: `00:00:05`, `6.00:00:00`, `00:00:00.2500000`.
#[must_use]
pub fn format(span: Duration) -> String {
    let seconds = span.as_secs();
    let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
    let days = if days == 0 {
        String::new()
    } else {
        format!("{days}.")
    };
    let ticks = span.subsec_nanos() / 100;
    let fraction = if ticks == 0 {
        String::new()
    } else {
        format!(".{ticks:07}")
    };
    format!(
        "{days}{hours:02}:{:02}:{:02}{fraction}",
        seconds / 60 % 60,
        seconds % 60
    )
}

/// The span, as far as the text is one that is not negative.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let mut fields = text.trim().split(':');
    let (first, minutes) = (fields.next()?, fields.next()?);
    let seconds = fields.next().unwrap_or("0");
    if fields.next().is_some() {
        return None;
    }
    let (days, hours) = first.split_once('.').unwrap_or(("0", first));
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let whole = number(days)?
        .checked_mul(24)?
        .checked_add(number(hours).filter(|hours| *hours < 24)?)?
        .checked_mul(60)?
        .checked_add(number(minutes).filter(|minutes| *minutes < 60)?)?
        .checked_mul(60)?
        .checked_add(number(seconds).filter(|seconds| *seconds < 60)?)?;
    number(fraction).filter(|_| fraction.len() <= 9)?;
    let nanos = format!("{fraction:0<9}").parse().ok()?;
    Some(Duration::new(whole, nanos))
}

fn number(digits: &str) -> Option<u64> {
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())?
}

/// For `#[serde(with)]` on a `Duration`.
pub(crate) mod required {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(
        span: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::format(*span))
    }
}

/// For `#[serde(deserialize_with)]` on an `Option<Duration>`; absent and `null` are `None`.
pub(crate) fn optional<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let wrong = || {
        serde::de::Error::custom(format!(
            "expected a time span such as \"00:00:30\", found {text:?}"
        ))
    };
    parse(&text).ok_or_else(wrong).map(Some)
}

/// For `#[serde(serialize_with)]` on an `Option<Duration>` that is written only if it is there.
pub(crate) fn write<S: Serializer>(
    span: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match span {
        Some(span) => required::serialize(span, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_written_as_they_are_read() {
        for (text, millis) in [
            ("00:00:05", 5_000),
            ("00:04:00", 240_000),
            ("6.00:00:00", 6 * 86_400_000),
            ("1.02:03:04.2500000", 93_784_250),
        ] {
            let span = Duration::from_millis(millis);
            assert_eq!(parse(text), Some(span), "{text}");
            assert_eq!(format(span), text);
        }
        assert_eq!(parse("00:30"), Some(Duration::from_secs(1800)));
        let most = parse("10675199.02:48:05.4775807").unwrap();
        assert_eq!(format(most), "10675199.02:48:05.4775807");
        for wrong in [
            "",
            "5",
            "-00:00:05",
            "24:00:00",
            "00:60:00",
            "00:00:60",
            "a:b:c",
            "1:2:3:4",
            "+1:00:00",
            "999999999999999999999.00:00:00",
            "00:00:00.x",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
