//! Numbers as .NET reads them in the invariant culture.

use rust_decimal::Decimal;

/// A whole number: surrounding white space and a sign are fine, thousands separators are not.
pub(super) fn whole<N: std::str::FromStr>(text: &str) -> Option<N> {
    trimmed(text).parse().ok()
}

/// Whether `text` is a number that fits in 96 bits; a sign on either side, thousands commas and a point are fine.
pub(super) fn is_decimal(text: &str) -> bool {
    let text = trimmed(text);
    let unsigned = match text.strip_prefix(['+', '-']) {
        Some(rest) => rest,
        None => text.strip_suffix(['+', '-']).unwrap_or(text),
    };
    let unsigned = trimmed(unsigned);
    is_fixed(unsigned) && unsigned.replace(',', "").parse::<Decimal>().is_ok()
}

/// Whether `text` is a floating-point number; `NaN` and `Infinity` are.
pub(super) fn is_float(text: &str) -> bool {
    let text = trimmed(text);
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if ["nan", "infinity"]
        .iter()
        .any(|name| unsigned.eq_ignore_ascii_case(name))
    {
        return true;
    }
    match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => is_fixed(mantissa) && is_exponent(exponent),
        None => is_fixed(unsigned),
    }
}

/// Digits with commas between them, then perhaps a point and digits; one digit at least.
fn is_fixed(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let grouped = whole
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b',');
    let some = !whole.is_empty() || !fraction.is_empty();
    some && grouped && !whole.starts_with(',') && digits(fraction)
}

fn is_exponent(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// `text` less the white space that .NET allows around a number.
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(|c| matches!(c, ' ' | '\u{9}'..='\u{d}'))
}
