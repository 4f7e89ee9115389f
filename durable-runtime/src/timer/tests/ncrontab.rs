//! What a schedule may say.

use crate::timer::ncrontab::{Fields, parse};

fn bits(values: impl IntoIterator<Item = u32>) -> u64 {
    values.into_iter().fold(0, |bits, value| bits | 1 << value)
}

#[track_caller]
fn fields(text: &str) -> Fields {
    parse(text).unwrap_or_else(|fault| panic!("{text}: {fault}"))
}

#[test]
fn each_form_allows_its_values() {
    for (minute, expected) in [
        ("*", bits(0..60)),
        ("0", bits([0])),
        ("07", bits([7])),
        ("5-8", bits(5..=8)),
        ("*/20", bits([0, 20, 40])),
        ("10-30/10", bits([10, 20, 30])),
        ("5/25", bits([5, 30, 55])),
        ("1,3,50-52", bits([1, 3, 50, 51, 52])),
        ("0/90", bits([0])),
        ("59-59", bits([59])),
    ] {
        assert_eq!(
            fields(&format!("0 {minute} * * * *")).minutes,
            expected,
            "{minute}"
        );
    }
}

#[test]
fn months_and_weekdays_have_names_in_any_case() {
    let by_name = fields("0 0 0 * jan,Mar-MAY Mon-fri");
    assert_eq!(by_name, fields("0 0 0 * 1,3-5 1-5"));
    assert_eq!(by_name.months, bits([1, 3, 4, 5]));
    assert_eq!(by_name.weekdays, bits(1..=5));
}

#[test]
fn sunday_is_nought_and_seven() {
    for (weekday, expected) in [
        ("0", bits([0])),
        ("7", bits([0])),
        ("SUN", bits([0])),
        ("*", bits(0..7)),
        ("*/3", bits([0, 3, 6])),
        ("5-7", bits([5, 6, 0])),
        ("FRI-SUN", bits([5, 6, 0])),
        ("0-7", bits(0..7)),
        ("5/1", bits([5, 6])),
    ] {
        assert_eq!(
            fields(&format!("0 0 0 * * {weekday}")).weekdays,
            expected,
            "{weekday}"
        );
    }
}

#[test]
fn five_fields_are_at_second_nought() {
    assert_eq!(fields("*/5 * * * *"), fields("0 */5 * * * *"));
    assert_eq!(fields(" 0  */5 * * *\t* "), fields("0 */5 * * * *"));
}

#[test]
fn what_is_wrong_is_named_with_what_to_write() {
    for (text, expected) in [
        ("", "found 0"),
        (
            "* * * *",
            "expected six fields, `second minute hour day month day-of-week`, or five without the second, found 4",
        ),
        ("0 0 0 * * * 2026", "found 7"),
        ("00:05:00", "App Service plan: say the same in six fields"),
        ("1.00:00:00", "App Service plan"),
        ("60 * * * * *", "the second must be 0 to 59 or `*`"),
        (
            "0 * 24 * * *",
            "the hour must be 0 to 23 or `*`, with `-` for a range, `,` for a list and `/` for a step, found `24`",
        ),
        ("0 0 0 0 * *", "the day must be 1 to 31 or `*`"),
        (
            "0 0 0 * 13 *",
            "the month must be 1 to 12, `JAN` to `DEC` or `*`",
        ),
        (
            "0 0 0 * * 8",
            "the day of the week must be 0 to 7, `SUN` to `SAT` or `*`",
        ),
        ("0 0 0 * * monday", "found `monday`"),
        ("0 MON * * * *", "found `MON`"),
        ("0 1,,2 * * * *", "found ``"),
        ("0 +1 * * * *", "found `+1`"),
        ("0 ? * * * *", "found `?`"),
        (
            "0 99999999999999999999 * * * *",
            "found `99999999999999999999`",
        ),
        (
            "0 */0 * * * *",
            "a step of the minute must be a number from 1, found `*/0`",
        ),
        (
            "0 */x * * * *",
            "a step of the minute must be a number from 1, found `*/x`",
        ),
        ("0 5-9-12 * * * *", "found `9-12`"),
        (
            "0 * 22-2 * * *",
            "the range `22-2` of the hour runs backwards: write `22-23,0-2`",
        ),
        ("0 0 0 * * FRI-MON", "write `5-6,0-1`"),
        (
            "0 0 0 31 2,4 *",
            "it would never run: none of its months has a day 31",
        ),
        ("0 0 0 30 FEB *", "none of its months has a day 30"),
    ] {
        let fault = parse(text).unwrap_err();
        assert!(fault.contains(expected), "`{text}`: {fault}");
    }
}
