//! `extensions.durableTask.httpSettings`, as far as it is about requests that go out.

use std::time::Duration;

/// How requests are sent.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Bytes of an answer's body, decompressed.
    pub(crate) max_response_bytes: usize,
    pub(crate) max_redirects: usize,
    /// For requests that say nothing themselves.
    pub(crate) request_timeout: Duration,
    /// Hosts that requests may go to; none: all.
    pub(crate) allowed_hosts: Vec<String>,
    pub(crate) deny_private: bool,
    /// Requests under way at one time; at most twice as many connections are kept for each host.
    pub(crate) max_concurrent: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_response_bytes: 64 << 20,
            max_redirects: 20,
            request_timeout: Duration::from_secs(240),
            allowed_hosts: Vec::new(),
            deny_private: false,
            max_concurrent: 256,
        }
    }
}

/// `["a.example", "*.b.example"]`, or the same hosts with commas between them.
pub(crate) fn hosts(text: &str) -> Option<Vec<String>> {
    let hosts: Vec<String> = if text.starts_with('[') {
        serde_json::from_str(text).ok()?
    } else {
        text.split(',').map(str::to_owned).collect()
    };
    let hosts: Vec<String> = hosts
        .iter()
        .map(|host| host.trim().to_lowercase())
        .filter(|host| !host.is_empty())
        .collect();
    let fits = |host: &String| {
        let rest = host.strip_prefix("*.").unwrap_or(host);
        !rest.is_empty() && !rest.contains(['/', '*', '@', '?', '#', ' '])
    };
    hosts.iter().all(fits).then_some(hosts)
}

/// `hh:mm:ss`, with days and fractions where there are any.
pub(super) fn span(span: Duration) -> String {
    durable_runtime::durable_http::time_span(span)
}

#[cfg(test)]
mod tests {

    #[test]
    fn hosts_are_an_array_or_a_list() {
        for (text, hosts) in [
            ("[]", Some(vec![])),
            (
                r#"["A.example", "*.b.example:8443"]"#,
                Some(vec!["a.example", "*.b.example:8443"]),
            ),
            ("a.example, 10.0.0.1", Some(vec!["a.example", "10.0.0.1"])),
            ("", Some(vec![])),
            ("https://a.example", None),
            ("*", None),
            ("[1]", None),
        ] {
            let found = super::hosts(text);
            let found = found
                .as_ref()
                .map(|all| all.iter().map(String::as_str).collect());
            assert_eq!(found, hosts, "{text}");
        }
    }
}
