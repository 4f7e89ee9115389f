//! NCRONTAB: the text of a schedule, read into what it allows. No calendar and no clock.
//!
//! The attribute checks literals with a copy of this file; a test of the workspace holds the two alike.

/// What a schedule allows: in each field, bit `n` stands for the value `n`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(crate) seconds: u64,
    pub(crate) minutes: u64,
    pub(crate) hours: u64,
    /// Days of the month, from bit 1.
    pub(crate) days: u64,
    /// From bit 1.
    pub(crate) months: u64,
    /// Sunday is bit 0.
    pub(crate) weekdays: u64,
}

/// What may stand in one place.
struct Field {
    name: &'static str,
    first: u64,
    last: u64,
    /// Names of values, in order from `first`.
    names: &'static [&'static str],
}

const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
/// Days that a month has at most.
const LENGTHS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const FIELDS: [Field; 6] = [
    Field::numbers("second", 0, 59),
    Field::numbers("minute", 0, 59),
    Field::numbers("hour", 0, 23),
    Field::numbers("day", 1, 31),
    Field {
        names: &MONTHS,
        ..Field::numbers("month", 1, 12)
    },
    Field {
        names: &WEEKDAYS,
        ..Field::numbers("day of the week", 0, 7)
    },
];

/// Reads six fields, `second minute hour day month day-of-week`, or five, in which the second is 0.
///
/// # Errors
/// What is wrong, without the schedule itself: what was found, what was expected, what to do.
pub(crate) fn parse(text: &str) -> Result<Fields, String> {
    let mut parts: Vec<&str> = text.split_whitespace().collect();
    match parts.len() {
        6 => {}
        5 => parts.insert(0, "0"),
        1 if is_time_span(parts[0]) => {
            return Err(
                "a time span runs only on an App Service plan: say the same in six fields, \
                 such as `0 */5 * * * *` for every five minutes"
                    .to_owned(),
            );
        }
        found => {
            return Err(format!(
                "expected six fields, `second minute hour day month day-of-week`, or five \
                 without the second, found {found}"
            ));
        }
    }
    let mut read = [0; 6];
    for ((field, part), bits) in FIELDS.iter().zip(parts).zip(&mut read) {
        *bits = field.read(part)?;
    }
    let [seconds, minutes, hours, days, months, weekdays] = read;
    let fields = Fields {
        seconds,
        minutes,
        hours,
        days,
        months,
        // 7 is Sunday too.
        weekdays: (weekdays | weekdays >> 7) & 0x7f,
    };
    fields.check_days().map(|()| fields)
}

/// `hh:mm:ss` or `d.hh:mm:ss`.
fn is_time_span(text: &str) -> bool {
    text.contains(':') && text.chars().all(|c| c.is_ascii_digit() || ":.".contains(c))
}

impl Fields {
    /// Both fields of days must allow a day, so a day that no month has would mean never.
    fn check_days(&self) -> Result<(), String> {
        let first = self.days.trailing_zeros();
        let month = |month: usize| self.months & (1 << (month + 1)) != 0;
        if (0..12).any(|at| month(at) && LENGTHS[at] >= first) {
            return Ok(());
        }
        Err(format!(
            "it would never run: none of its months has a day {first}"
        ))
    }
}

impl Field {
    const fn numbers(name: &'static str, first: u64, last: u64) -> Self {
        Self {
            name,
            first,
            last,
            names: &[],
        }
    }

    /// A list of parts: `*`, `3`, `1-5`, each with `/step`.
    fn read(&self, list: &str) -> Result<u64, String> {
        list.split(',').try_fold(0, |bits, part| {
            let (range, step) = match part.split_once('/') {
                None => (part, None),
                Some((range, step)) => (range, Some(self.step(part, step)?)),
            };
            let (first, last) = match (range, range.split_once('-')) {
                ("*", _) => (self.first, self.most()),
                (_, Some((first, last))) => self.range(range, first, last)?,
                (value, None) => {
                    let value = self.value(value)?;
                    // `5/15` goes on to the end, as `5-59/15`.
                    (value, step.map_or(value, |_| self.most().max(value)))
                }
            };
            let values = (first..=last).step_by(step.unwrap_or(1));
            Ok(values.fold(bits, |bits, value| bits | 1 << value))
        })
    }

    /// The last value of `*`: Sunday is there once.
    fn most(&self) -> u64 {
        match self.names {
            [] => self.last,
            names => self.first + names.len() as u64 - 1,
        }
    }

    fn range(&self, range: &str, first: &str, last: &str) -> Result<(u64, u64), String> {
        let (first, mut last) = (self.value(first)?, self.value(last)?);
        if last == 0 && first > 0 && self.names.len() == 7 {
            // `FRI-SUN`
            last = 7;
        }
        if first <= last {
            return Ok((first, last));
        }
        Err(format!(
            "the range `{range}` of the {} runs backwards: write `{first}-{},{}-{last}`",
            self.name,
            self.most(),
            self.first,
        ))
    }

    fn step(&self, part: &str, step: &str) -> Result<usize, String> {
        let number = digits(step).filter(|step| *step > 0);
        let number = number.and_then(|step| usize::try_from(step).ok());
        number.ok_or_else(|| {
            format!(
                "a step of the {} must be a number from 1, found `{part}`",
                self.name
            )
        })
    }

    fn value(&self, text: &str) -> Result<u64, String> {
        let mut names = self.names.iter();
        let value = match names.position(|name| name.eq_ignore_ascii_case(text)) {
            Some(at) => Some(self.first + at as u64),
            None => digits(text).filter(|value| (self.first..=self.last).contains(value)),
        };
        value.ok_or_else(|| {
            let names = match self.names {
                [first, .., last] => format!(", `{first}` to `{last}`"),
                _ => String::new(),
            };
            format!(
                "the {} must be {} to {}{names} or `*`, with `-` for a range, `,` for a list and \
                 `/` for a step, found `{text}`",
                self.name, self.first, self.last
            )
        })
    }
}

/// A number of a few digits, without a sign.
fn digits(text: &str) -> Option<u64> {
    let plain = text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}
