//! The W3C trace context of an instance, as one text: `traceparent`, and after a line feed `tracestate`, if there is one.
//!
//! No header can hold a line feed, and the second means nothing without the first.

pub(crate) fn join(parent: &str, state: Option<&str>) -> String {
    match state {
        Some(state) => format!("{parent}\n{state}"),
        None => parent.to_owned(),
    }
}

pub(crate) fn split(context: &str) -> (&str, Option<&str>) {
    match context.split_once('\n') {
        Some((parent, state)) => (parent, Some(state)),
        None => (context, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_joined_comes_apart_as_it_was() {
        for (parent, state) in [("00-1-2-01", None), ("00-1-2-01", Some("a=1,b=2"))] {
            assert_eq!(split(&join(parent, state)), (parent, state));
        }
    }
}
