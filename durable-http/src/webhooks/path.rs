//! Which operation a path and a verb ask for. Pure.

use std::borrow::Cow;

use super::query::decode_segment;

/// An operation and what its path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation<'a> {
    Start {
        name: &'a str,
        id: Option<&'a str>,
    },
    List,
    Status {
        id: &'a str,
    },
    Purge {
        id: &'a str,
    },
    PurgeMatching,
    RaiseEvent {
        id: &'a str,
        name: &'a str,
    },
    Terminate {
        id: &'a str,
    },
    Suspend {
        id: &'a str,
    },
    Resume {
        id: &'a str,
    },
    Rewind {
        id: &'a str,
    },
    Restart {
        id: &'a str,
    },
    ListEntities {
        name: Option<&'a str>,
    },
    ReadEntity {
        name: &'a str,
        key: &'a str,
    },
    SignalEntity {
        name: Option<&'a str>,
        key: Option<&'a str>,
    },
    DeleteEntity {
        name: Option<&'a str>,
        key: Option<&'a str>,
    },
    MakePrimary,
}

impl<'a> Operation<'a> {
    /// `None` for everything that there is not, known paths with other verbs included: all of that is 404.
    pub(super) fn of(verb: &str, segments: &'a [Cow<'a, str>]) -> Option<Self> {
        let (root, rest) = segments.split_first()?;
        let is = |word: &str| root.eq_ignore_ascii_case(word);
        if rest.iter().any(|segment| segment.is_empty()) {
            return None;
        }
        if is("orchestrators") {
            return match (verb, rest) {
                ("POST", [name]) => Some(Self::Start { name, id: None }),
                ("POST", [name, id]) => Some(Self::Start { name, id: Some(id) }),
                _ => None,
            };
        }
        if is("instances") {
            return match (verb, rest) {
                ("GET", []) => Some(Self::List),
                ("GET", [id]) => Some(Self::Status { id }),
                ("DELETE", []) => Some(Self::PurgeMatching),
                ("DELETE", [id]) => Some(Self::Purge { id }),
                ("POST", [id, word]) => Self::told(id, word),
                ("POST", [id, word, name]) if word.eq_ignore_ascii_case("raiseEvent") => {
                    Some(Self::RaiseEvent { id, name })
                }
                _ => None,
            };
        }
        if is("entities") {
            let (name, key) = match rest {
                [] => (None, None),
                [name] => (Some(&**name), None),
                [name, key] => (Some(&**name), Some(&**key)),
                _ => return None,
            };
            return match (verb, name, key) {
                ("GET", Some(name), Some(key)) => Some(Self::ReadEntity { name, key }),
                ("GET", name, _) => Some(Self::ListEntities { name }),
                ("POST", name, key) => Some(Self::SignalEntity { name, key }),
                ("DELETE", name, key) => Some(Self::DeleteEntity { name, key }),
                _ => None,
            };
        }
        (is("makeprimary") && rest.is_empty()).then_some(Self::MakePrimary)
    }

    fn told(id: &'a str, word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "terminate" => Some(Self::Terminate { id }),
            "suspend" => Some(Self::Suspend { id }),
            "resume" => Some(Self::Resume { id }),
            "rewind" => Some(Self::Rewind { id }),
            "restart" => Some(Self::Restart { id }),
            _ => None,
        }
    }
}

/// The extension that a path names and the decoded segments after it; slashes at the end do not count.
pub(super) fn split(path: &str) -> Option<(Cow<'_, str>, Vec<Cow<'_, str>>)> {
    let mut segments = path.trim_matches('/').split('/');
    let under_webhooks = ["runtime", "webhooks"].into_iter().all(|word| {
        segments
            .next()
            .is_some_and(|segment| segment.eq_ignore_ascii_case(word))
    });
    let extension = segments.next().filter(|_| under_webhooks)?;
    Some((
        decode_segment(extension),
        segments.map(decode_segment).collect(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_and_what_is_not() {
        use Operation::{
            List, MakePrimary, Purge, PurgeMatching, RaiseEvent, Restart, Resume, Rewind, Start,
            Status, Suspend, Terminate,
        };
        let id = "ID";
        for (verb, path, expected) in [
            (
                "POST",
                "orchestrators/E1",
                Some(Start {
                    name: "E1",
                    id: None,
                }),
            ),
            (
                "POST",
                "Orchestrators/E1/abc/",
                Some(Start {
                    name: "E1",
                    id: Some("abc"),
                }),
            ),
            ("POST", "orchestrators/E1/a/b", None),
            ("POST", "orchestrators", None),
            ("GET", "orchestrators/E1", None),
            ("GET", "instances", Some(List)),
            ("GET", "instances/", Some(List)),
            ("POST", "instances", None),
            ("GET", "Instances/ID", Some(Status { id })),
            ("GET", "instances/a+b%20c%2B", Some(Status { id: "a b c+" })),
            ("DELETE", "instances/ID", Some(Purge { id })),
            ("DELETE", "instances", Some(PurgeMatching)),
            ("DELETE", "instances/", Some(PurgeMatching)),
            ("PUT", "instances/ID", None),
            ("POST", "instances/ID", None),
            ("GET", "instances/ID/terminate", None),
            ("POST", "instances/ID/TERMINATE", Some(Terminate { id })),
            ("POST", "instances/ID/suspend/", Some(Suspend { id })),
            ("POST", "instances/ID/resume", Some(Resume { id })),
            ("POST", "instances/ID/Rewind", Some(Rewind { id })),
            ("POST", "instances/ID/restart", Some(Restart { id })),
            ("GET", "instances/ID/restart", None),
            ("POST", "instances/ID/frobnicate", None),
            ("POST", "instances/ID/raiseEvent", None),
            ("POST", "instances//terminate", None),
            (
                "POST",
                "instances/ID/raiseevent/my%20event",
                Some(RaiseEvent {
                    id,
                    name: "my event",
                }),
            ),
            ("GET", "instances/ID/raiseEvent/x", None),
            ("PUT", "makePrimary", Some(MakePrimary)),
            ("PUT", "entities/counter/x", None),
            ("GET", "nothing", None),
            ("GET", "", None),
        ] {
            let path = format!("/runtime/webhooks/durabletask/{path}");
            let (extension, segments) = split(&path).unwrap();
            assert_eq!(extension, "durabletask");
            assert_eq!(Operation::of(verb, &segments), expected, "{verb} {path}");
        }
    }

    #[test]
    fn the_base_is_found_in_any_case() {
        let (extension, segments) = split("/Runtime/WebHooks/DurableTask/Instances/x").unwrap();
        assert_eq!(extension, "DurableTask");
        assert_eq!(segments, ["Instances", "x"]);
        assert!(split("/runtime/other/durabletask").is_none());
        assert!(split("/runtime/webhooks").is_none());
    }
}
