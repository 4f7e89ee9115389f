//! Comparing text with case aside, without copying it.

use std::cmp::Ordering;

/// The lower-case characters of `text`; one by one, so that a key and a look-up always agree.
pub(super) fn lower(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

/// Whether two texts are the same, case aside.
pub(super) fn same(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right) || (!left.is_ascii() && lower(left).eq(lower(right)))
}

/// How a key that is in lower case already compares with `text`.
pub(super) fn compare(key: &str, text: &str) -> Ordering {
    if text.is_ascii() {
        // The order of bytes is that of characters.
        let text = text.bytes().map(|byte| byte.to_ascii_lowercase());
        return key.bytes().cmp(text);
    }
    key.chars().cmp(lower(text))
}

/// The length of the start of `text` that is `literal`, case aside.
pub(super) fn prefix(text: &str, literal: &str) -> Option<usize> {
    let mut rest = text.chars();
    for wanted in literal.chars() {
        let found = rest.next()?;
        if found != wanted && !found.to_lowercase().eq(wanted.to_lowercase()) {
            return None;
        }
    }
    Some(text.len() - rest.as_str().len())
}
