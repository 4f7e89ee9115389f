//! The query string as the management webhooks read it: a value that does not parse is as good as none.

use std::borrow::Cow;
use std::fmt::Write as _;

use durable_runtime::model::{RuntimeStatus, Timestamp};
use url::form_urlencoded;

use super::timestamp;

/// A query string; nothing is decoded before it is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Query<'a>(&'a str);

/// What a list of statuses may name beside real ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StatusFilter {
    /// Any of these; empty: no filter.
    Any(Vec<RuntimeStatus>),
    /// `Unknown` was among them, which no instance ever is.
    Unknown,
}

impl<'a> Query<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// The value of that name, in any case; several are joined by commas. A pair without `=` has no name.
    pub(crate) fn get(self, name: &str) -> Option<Cow<'a, str>> {
        let mut values = self
            .0
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .filter(|(key, _)| decode(key).eq_ignore_ascii_case(name))
            .map(|(_, value)| decode(value.trim()));
        let first = values.next()?;
        Some(values.fold(first, |mut all, value| {
            let _ = write!(all.to_mut(), ",{value}");
            all
        }))
    }

    /// The value of that name, unless it is blank.
    pub(crate) fn text(self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).filter(|value| !value.trim().is_empty())
    }

    pub(crate) fn flag(self, name: &str) -> Option<bool> {
        let value = self.get(name)?;
        match value.trim() {
            value if value.eq_ignore_ascii_case("true") => Some(true),
            value if value.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    pub(crate) fn int(self, name: &str) -> Option<i32> {
        self.get(name)?.trim().parse().ok()
    }

    /// A span in seconds, not yet checked for sense.
    pub(crate) fn seconds(self, name: &str) -> Option<f64> {
        self.get(name)?.trim().parse().ok()
    }

    pub(crate) fn time(self, name: &str) -> Option<Timestamp> {
        timestamp::parse(&self.get(name)?)
    }

    /// Names in their exact case, or numbers; what is none is dropped.
    pub(crate) fn statuses(self, name: &str) -> StatusFilter {
        let text = self.get(name).unwrap_or_default();
        let items = || text.split(',').map(str::trim);
        if items().any(|item| matches!(item, "Unknown" | "-1")) {
            return StatusFilter::Unknown;
        }
        StatusFilter::Any(items().filter_map(status).collect())
    }
}

fn status(item: &str) -> Option<RuntimeStatus> {
    let code = || item.parse().ok().and_then(RuntimeStatus::from_code);
    item.parse().ok().or_else(code)
}

fn decode(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Cow::Borrowed(text);
    }
    // One value, as a form would hold it: `&` and `=` are data here.
    form_urlencoded::parse(escape_separators(text).as_bytes())
        .next()
        .map(|(value, _)| Cow::Owned(value.into_owned()))
        .unwrap_or_default()
}

/// `=` may be part of a value; the parser must not take it for its own.
fn escape_separators(text: &str) -> Cow<'_, str> {
    if text.contains(['=', '&']) {
        Cow::Owned(text.replace('=', "%3D").replace('&', "%26"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Decodes one segment of a path: percent escapes, and `+` as a space.
pub(super) fn decode_segment(text: &str) -> Cow<'_, str> {
    decode(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_any_case_values_joined_and_decoded() {
        for (query, name, expected) in [
            ("", "a", None),
            ("a=1", "a", Some("1")),
            ("A=1", "a", Some("1")),
            ("%61=1", "a", Some("1")),
            ("a=1&b=2&A=3", "a", Some("1,3")),
            ("reason", "reason", None),
            ("reason=", "reason", Some("")),
            (
                "reason=stuff%20and+things",
                "reason",
                Some("stuff and things"),
            ),
            ("reason=a=b%3D+c", "reason", Some("a=b= c")),
            ("reason=%FF", "reason", Some("\u{fffd}")),
        ] {
            assert_eq!(Query::new(query).get(name).as_deref(), expected, "{query}");
        }
    }

    #[test]
    fn what_does_not_parse_is_absent() {
        for (value, expected) in [
            ("true", Some(true)),
            ("True", Some(true)),
            ("+FALSE+", Some(false)),
            ("1", None),
            ("0", None),
            ("yes", None),
            ("", None),
        ] {
            let query = format!("showInput={value}");
            assert_eq!(Query::new(&query).flag("showInput"), expected, "{value}");
        }
        assert_eq!(Query::new("a=true&a=true").flag("a"), None);
        for (value, expected) in [
            ("10", Some(10)),
            ("%2B10", Some(10)),
            ("-1", Some(-1)),
            ("10.5", None),
            ("3000000000", None),
            ("abc", None),
        ] {
            let query = format!("top={value}");
            assert_eq!(Query::new(&query).int("top"), expected, "{value}");
        }
        for (value, expected) in [
            ("10", Some(10.0)),
            ("2.5", Some(2.5)),
            ("1e1", Some(10.0)),
            ("x", None),
        ] {
            let query = format!("timeout={value}");
            assert_eq!(Query::new(&query).seconds("timeout"), expected, "{value}");
        }
    }

    #[test]
    fn statuses_by_exact_name_or_number() {
        use RuntimeStatus::{Completed, Failed, Running};
        for (query, expected) in [
            ("", vec![]),
            ("runtimeStatus=Running,Completed", vec![Running, Completed]),
            (
                "runtimeStatus=Running&runtimeStatus=Completed",
                vec![Running, Completed],
            ),
            ("runtimeStatus=running", vec![]),
            ("runtimeStatus=Bogus,+Failed", vec![Failed]),
            ("runtimeStatus=0,3", vec![Running, Failed]),
        ] {
            let filter = Query::new(query).statuses("runtimeStatus");
            assert_eq!(filter, StatusFilter::Any(expected), "{query}");
        }
        let unknown = Query::new("s=Running,Unknown").statuses("s");
        assert_eq!(unknown, StatusFilter::Unknown);
    }

    proptest::proptest! {
        #[test]
        fn no_query_is_a_panic(text in "[a-zA-Z0-9%+=&:,. -]{0,80}|\\PC{0,40}") {
            let query = Query::new(&text);
            for name in ["a", "", "runtimeStatus", "top", "createdTimeFrom"] {
                let _ = (query.get(name), query.flag(name), query.int(name), query.seconds(name));
                let _ = (query.time(name), query.statuses(name), query.text(name));
            }
        }

        #[test]
        fn what_is_encoded_is_read_back(value in "\\PC{0,40}") {
            let written: String = form_urlencoded::Serializer::new(String::new())
                .append_pair("reason", &value)
                .finish();
            let read = Query::new(&written).get("REASON").map(Cow::into_owned);
            proptest::prop_assert_eq!(read, Some(value));
        }
    }
}
