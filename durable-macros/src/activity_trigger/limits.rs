//! Spans of time and rates as they are written in attributes.

use std::time::Duration;

/// How many calls may begin in a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) count: u32,
    pub(crate) per: Duration,
}

/// `500ms`, `30s`, `5m`, `2h`, `1d`, `hh:mm:ss` or `d.hh:mm:ss`.
pub(crate) fn timeout(text: &str) -> Result<Duration, String> {
    let written = text.trim();
    let parsed = if written.contains(':') {
        clock(written)
    } else {
        number_and_unit(written)
    };
    match parsed {
        Some(Duration::ZERO) => Err(format!(
            "`timeout` must be longer than nothing, found `{text}`"
        )),
        Some(duration) => Ok(duration),
        None => Err(format!(
            "`timeout` must be a number with `ms`, `s`, `m`, `h` or `d`, or `hh:mm:ss`, found \
             `{text}`\nhelp: five minutes are `5m` or `00:05:00`"
        )),
    }
}

/// `10/s`, `100/m`, `5/h`, `1/d`.
pub(crate) fn rate(text: &str) -> Result<Rate, String> {
    let fault = || {
        format!(
            "`rate` must be a number of calls, `/` and `s`, `m`, `h` or `d`, found `{text}`\n\
             help: ten calls a second are `10/s`"
        )
    };
    let (count, unit) = text.split_once('/').ok_or_else(fault)?;
    let count = number(count.trim())
        .and_then(|n| u32::try_from(n).ok())
        .ok_or_else(fault)?;
    let millis = match unit.trim() {
        "ms" => None,
        unit => milliseconds(unit),
    };
    let per = Duration::from_millis(millis.ok_or_else(fault)?);
    if count == 0 {
        return Err(format!(
            "`rate` must let at least one call through, found `{text}`"
        ));
    }
    Ok(Rate { count, per })
}

fn number_and_unit(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (count, unit) = text.split_at(digits);
    let millis = number(count)?.checked_mul(milliseconds(unit.trim_start())?)?;
    Some(Duration::from_millis(millis))
}

fn milliseconds(unit: &str) -> Option<u64> {
    match unit {
        "ms" => Some(1),
        "s" => Some(1000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        "d" => Some(86_400_000),
        _ => None,
    }
}

fn clock(text: &str) -> Option<Duration> {
    let (days, clock) = match text.split_once('.') {
        Some((days, clock)) => (number(days)?, clock),
        None => (0, text),
    };
    let parts: Option<Vec<u64>> = clock.split(':').map(number).collect();
    let [hours, minutes @ 0..60, seconds @ 0..60] = parts?[..] else {
        return None;
    };
    let hours = days.checked_mul(24)?.checked_add(hours)?;
    let seconds = hours
        .checked_mul(3600)?
        .checked_add(minutes * 60 + seconds)?;
    Some(Duration::from_secs(seconds))
}

/// Digits only: no sign, no space.
fn number(text: &str) -> Option<u64> {
    text.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts() {
        for (text, seconds) in [
            ("30s", 30),
            ("5m", 300),
            ("5 m", 300),
            ("2h", 7200),
            ("1d", 86_400),
            ("00:05:00", 300),
            ("01:02:03", 3723),
            ("1.00:00:01", 86_401),
        ] {
            assert_eq!(timeout(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(timeout("500ms"), Ok(Duration::from_millis(500)));
        for text in [
            "",
            "5",
            "m",
            "5x",
            "-5m",
            "5m5",
            "00:60:00",
            "1:2",
            "0s",
            "1.5h",
            "::",
            "99999999999999999999s",
        ] {
            assert!(timeout(text).is_err(), "{text}");
        }
    }

    /// What is written from a number is read as that number.
    #[test]
    fn every_timeout_is_read_back() {
        for seconds in (1..200_000_u64).step_by(37) {
            let (h, m, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
            let expected = Ok(Duration::from_secs(seconds));
            assert_eq!(timeout(&format!("{seconds}s")), expected);
            assert_eq!(timeout(&format!("{h:02}:{m:02}:{s:02}")), expected);
            assert_eq!(
                timeout(&format!("{}.{:02}:{m:02}:{s:02}", h / 24, h % 24)),
                expected
            );
        }
    }

    #[test]
    fn rates() {
        let each = |per, count| {
            Ok(Rate {
                count,
                per: Duration::from_secs(per),
            })
        };
        assert_eq!(rate("10/s"), each(1, 10));
        assert_eq!(rate("100 / m"), each(60, 100));
        assert_eq!(rate("5/h"), each(3600, 5));
        assert_eq!(rate("1/d"), each(86_400, 1));
        for text in [
            "",
            "10",
            "10/",
            "/s",
            "0/s",
            "-1/s",
            "1.5/s",
            "10/ms",
            "10/w",
            "4294967296/s",
        ] {
            assert!(rate(text).is_err(), "{text}");
        }
    }
}
