//! What must hold of any query, any path and any continuation token.

use chrono::SecondsFormat;

use super::list;
use super::path::{self, Operation};
use super::query::{Query, StatusFilter};
use super::timestamp;

const NAMES: &[&str] = &[
    "",
    "a",
    "createdTimeFrom",
    "createdTimeTo",
    "pollingInterval",
    "reason",
    "runtimeStatus",
    "showInput",
    "taskHub",
    "timeout",
    "top",
];

/// The first line is a query, the second a path, the third a token.
pub(crate) fn fuzz_query(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let read = query(line());
    let led = led(line());
    let token = list::read(line());
    read || led || token.is_some()
}

fn query(text: &str) -> bool {
    let query = Query::new(text);
    let mut read = false;
    for &name in NAMES {
        let value = query.get(name);
        assert_eq!(value, query.get(&name.to_uppercase()), "names have no case");
        let said = query.text(name);
        let blank = value.as_deref().is_none_or(|value| value.trim().is_empty());
        assert_eq!(said.is_none(), blank);
        let (flag, int, seconds) = (query.flag(name), query.int(name), query.seconds(name));
        assert!(flag.is_none() || (int.is_none() && seconds.is_none()));
        if let StatusFilter::Any(statuses) = query.statuses(name) {
            assert!(value.is_some() || statuses.is_empty());
        }
        if let Some(time) = query.time(name) {
            let written = time.to_utc().to_rfc3339_opts(SecondsFormat::Micros, true);
            assert_eq!(timestamp::parse(&written), Some(time), "{written}");
        }
        read |= value.is_some();
    }
    read
}

/// Whether the path leads anywhere.
fn led(path: &str) -> bool {
    let Some((_, segments)) = path::split(path) else {
        return false;
    };
    let verbs = ["GET", "POST", "PUT", "DELETE"].into_iter();
    let operations: Vec<_> = verbs
        .filter_map(|verb| Operation::of(verb, &segments))
        .collect();
    let slashes = format!("//{path}//");
    let same = path::split(&slashes).is_some_and(|(_, others)| others == segments);
    assert!(
        same || path.starts_with('/') || path.ends_with('/'),
        "outer slashes count"
    );
    !operations.is_empty()
}
