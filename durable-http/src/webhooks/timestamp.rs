//! The timestamps that callers of the webhooks write, which are of many shapes.

use std::sync::LazyLock;

use chrono::{DateTime, FixedOffset, Local, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use durable_runtime::model::Timestamp;
use regex::{Captures, Regex};

/// `2020-01-01`, `2020-01-01T10:01:02.1234567Z`, `.. +02:00`, with years of less than four digits too.
static ISO: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = r"(?x)^(?<year>\d{1,4})-(?<month>\d{1,2})-(?<day>\d{1,2})
        (?:[Tt\ ](?<hour>\d{1,2}):(?<minute>\d{2})(?::(?<second>\d{2})(?:\.(?<fraction>\d{1,9}))?)?)?
        \s*(?<zone>[Zz]|[+-]\d{1,2}:?\d{2})?$";
    Regex::new(pattern).ok()
});

/// `3/10/2018`, `3/10/2018 10:01:00 AM`.
static AMERICAN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = r"(?x)^(?<month>\d{1,2})/(?<day>\d{1,2})/(?<year>\d{4})
        (?:\ (?<hour>\d{1,2}):(?<minute>\d{2})(?::(?<second>\d{2}))?(?:\ ?(?<half>[AaPp][Mm]))?)?$";
    Regex::new(pattern).ok()
});

/// The instant; without a zone it is meant in the host's. `None` for text of another shape, and for days that never were.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let regexes = [&ISO, &AMERICAN];
    let found = regexes
        .iter()
        .find_map(|regex| regex.as_ref()?.captures(text))?;
    let local = NaiveDateTime::new(date(&found)?, time(&found)?);
    let instant = match found.name("zone").map(|zone| zone.as_str()) {
        None => local
            .and_local_timezone(Local)
            .earliest()?
            .with_timezone(&Utc),
        Some("Z" | "z") => local.and_utc(),
        Some(offset) => in_zone(local, offset)?,
    };
    Some(instant.into())
}

fn date(found: &Captures<'_>) -> Option<NaiveDate> {
    let year = i32::try_from(number(found, "year")?).ok()?;
    NaiveDate::from_ymd_opt(year, number(found, "month")?, number(found, "day")?)
        .filter(|_| year > 0)
}

fn time(found: &Captures<'_>) -> Option<NaiveTime> {
    let or_zero = |name| number(found, name).unwrap_or(0);
    let hour = or_zero("hour");
    let hour = match found.name("half").map(|half| half.as_str()) {
        None => hour,
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(half) if half.eq_ignore_ascii_case("am") => hour % 12,
        Some(_) => hour % 12 + 12,
    };
    let nanos = match found.name("fraction") {
        Some(digits) => format!("{:0<9}", digits.as_str()).parse().ok()?,
        None => 0,
    };
    NaiveTime::from_hms_nano_opt(hour, or_zero("minute"), or_zero("second"), nanos)
}

fn number(found: &Captures<'_>, name: &str) -> Option<u32> {
    found.name(name)?.as_str().parse().ok()
}

fn in_zone(local: NaiveDateTime, offset: &str) -> Option<DateTime<Utc>> {
    let (sign, digits) = offset.split_at_checked(1)?;
    let digits = digits.replace(':', "");
    let (hours, minutes) = digits.split_at_checked(digits.len().checked_sub(2)?)?;
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let seconds = (hours * 60 + minutes) * 60;
    let east = if sign == "-" { -seconds } else { seconds };
    let zone = FixedOffset::east_opt(east).filter(|_| minutes < 60)?;
    Some(local.and_local_timezone(zone).single()?.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_with_a_zone() {
        for (text, expected) in [
            ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00.000000Z"),
            ("2020-01-01T00:00:00.000Z", "2020-01-01T00:00:00.000000Z"),
            (
                "2020-01-01T10:01:02.1234567Z",
                "2020-01-01T10:01:02.123456Z",
            ),
            ("2020-01-01T10:01:02+02:00", "2020-01-01T08:01:02.000000Z"),
            ("2020-01-01 10:01 -0130", "2020-01-01T11:31:00.000000Z"),
            ("1-01-01T00:00:00.000000Z", "0001-01-01T00:00:00.000000Z"),
            ("2020-02-29Z", "2020-02-29T00:00:00.000000Z"),
        ] {
            let shown = parse(text).map(|at| {
                let at = at.to_utc();
                at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
            });
            assert_eq!(shown.as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn without_a_zone_it_is_the_hosts() {
        let local = NaiveDate::from_ymd_opt(2018, 3, 10).and_then(|day| day.and_hms_opt(22, 1, 0));
        let expected = local.and_then(|local| local.and_local_timezone(Local).earliest());
        let expected = expected.map(|at| Timestamp::from(at.with_timezone(&Utc)));
        for text in [
            "2018-03-10T22:01:00",
            "3/10/2018 10:01:00 PM",
            "2018-03-10 22:01",
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            "garbage",
            "notadate",
            "2020-13-01",
            "2020-02-30T00:00:00Z",
            "2020-01-01T25:00:00Z",
            "2020-01-01T00:00:00 02:00",
            "13/10/2018",
            "3/10/2018 13:00 PM",
            "0-01-01",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
