//! The five ways of writing a GUID.

/// Whether `text` is a GUID in one of the forms N, D, B, P and X.
pub(super) fn is_guid(text: &str) -> bool {
    let text = text.trim();
    is_plain(text)
        || is_dashed(text)
        || within(text, '{', '}').is_some_and(is_dashed)
        || within(text, '(', ')').is_some_and(is_dashed)
        || is_nested(text)
}

fn within(text: &str, open: char, close: char) -> Option<&str> {
    text.strip_prefix(open)?.strip_suffix(close)
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// N: 32 digits.
fn is_plain(text: &str) -> bool {
    is_hex(text, 32)
}

/// D: 8-4-4-4-12 digits.
fn is_dashed(text: &str) -> bool {
    let mut groups = text.split('-');
    let fits = [8, 4, 4, 4, 12]
        .iter()
        .all(|digits| groups.next().is_some_and(|group| is_hex(group, *digits)));
    fits && groups.next().is_none()
}

/// X: `{0x8,0x4,0x4,{0x2,0x2,0x2,0x2,0x2,0x2,0x2,0x2}}`, white space aside; leading zeros may be left out.
fn is_nested(text: &str) -> bool {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let Some((head, tail)) = within(&text, '{', '}').and_then(|inner| inner.split_once(",{"))
    else {
        return false;
    };
    tail.strip_suffix('}')
        .is_some_and(|tail| is_list(tail, &[2; 8]))
        && is_list(head, &[8, 4, 4])
}

fn is_list(text: &str, widths: &[usize]) -> bool {
    let mut items = text.split(',');
    let fits = widths
        .iter()
        .all(|width| items.next().is_some_and(|item| is_prefixed(item, *width)));
    fits && items.next().is_none()
}

fn is_prefixed(text: &str, width: usize) -> bool {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    digits.is_some_and(|digits| (1..=width).contains(&digits.len()) && is_hex(digits, digits.len()))
}
