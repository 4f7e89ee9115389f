//! A table of vectors: one line is one request and what is expected of its answer.
//!
//! ```text
//! number | METHOD path | header:value .. << body | status | expectation && expectation
//! ```
//!
//! `H:` is `x-functions-key`, `CT:` the content type. `?` before the status asks again until all is as expected. An error has an
//! empty body unless something is said of the body. Expectations: `*` any body; `=text` this body; `~text` within the body;
//! `/pointer=json`; `!/pointer` no such member; `{a,b` an object of these members in this order; `name:text` a header holds this; `-name` no such header; `/pointer>$name` keeps a
//! text for later lines, where `$name` stands for it; `$base` is the host's URL. A line with `#` before it is prose.

use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant};

use durable_functions::reqwest::{Method, Response};
use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::host::Fixture;

struct Line<'t> {
    number: &'t str,
    method: Method,
    path: &'t str,
    headers: Vec<(&'t str, &'t str)>,
    body: Option<&'t str>,
    again: bool,
    status: u16,
    expectations: Vec<&'t str>,
}

impl<'t> Line<'t> {
    fn read(text: &'t str) -> Self {
        let mut fields = text.split('|').map(str::trim);
        let mut next = || fields.next().unwrap_or_default();
        let (number, request, given, status, expected) = (next(), next(), next(), next(), next());
        let (method, path) = request.split_once(' ').unwrap_or_else(|| panic!("{text}"));
        let (headers, body) = match given.split_once("<<") {
            Some((headers, body)) => (headers, Some(body.trim())),
            None => (given, None),
        };
        let headers = headers.split_whitespace().map(|header| {
            let (name, value) = header.split_once(':').unwrap_or_else(|| panic!("{text}"));
            let name = match name {
                "H" => "x-functions-key",
                "CT" => "content-type",
                other => other,
            };
            (name, value)
        });
        Self {
            number,
            method: method.parse().unwrap(),
            path: path.trim(),
            headers: headers.collect(),
            body,
            again: status.starts_with('?'),
            status: status
                .trim_start_matches('?')
                .parse()
                .unwrap_or_else(|_| panic!("{text}")),
            expectations: expected
                .split("&&")
                .map(str::trim)
                .filter(|e| !e.is_empty())
                .collect(),
        }
    }
}

/// Runs the whole table; all lines that fail are told together.
pub(crate) async fn run(fixture: &Fixture, table: &str) {
    let mut kept = HashMap::from([("$base".to_owned(), fixture.base())]);
    let mut failed = Vec::new();
    let lines = table
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    for text in lines {
        let mut replaced = text.to_owned();
        for (name, value) in &kept {
            replaced = replaced.replace(name, value);
        }
        let line = Line::read(&replaced);
        let deadline = Instant::now() + Duration::from_secs(20);
        let found = loop {
            let found = ask(fixture, &line, &mut kept).await;
            if found.is_ok() || !line.again || Instant::now() > deadline {
                break found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        if let Err(problem) = found {
            failed.push(format!(
                "vector {}: {} {}: {problem}",
                line.number, line.method, line.path
            ));
        }
    }
    assert!(failed.is_empty(), "\n{}", failed.join("\n"));
}

async fn ask(
    fixture: &Fixture,
    line: &Line<'_>,
    kept: &mut HashMap<String, String>,
) -> Result<(), String> {
    let url = if line.path.starts_with("http") {
        line.path.to_owned()
    } else {
        format!("{}{}", fixture.base(), line.path)
    };
    let mut request = fixture.http.request(line.method.clone(), url);
    for (name, value) in &line.headers {
        request = request.header(*name, *value);
    }
    if let Some(body) = line.body {
        request = request.body(body.to_owned());
    }
    let response = request.send().await.map_err(|error| format!("{error:?}"))?;
    check(line, response, kept).await
}

async fn check(
    line: &Line<'_>,
    response: Response,
    kept: &mut HashMap<String, String>,
) -> Result<(), String> {
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let body = response.text().await.map_err(|error| error.to_string())?;
    if status != line.status {
        return Err(format!("{status} instead of {}: {body}", line.status));
    }
    let mut of_body = false;
    for expectation in &line.expectations {
        of_body |= expectation.starts_with(['*', '=', '~', '/', '!', '{']);
        if let Some(text) = expectation.strip_prefix('=') {
            (body == text)
                .then_some(())
                .ok_or_else(|| format!("the body is {body:?}"))?;
        } else if let Some(text) = expectation.strip_prefix('~') {
            body.contains(text)
                .then_some(())
                .ok_or_else(|| format!("the body is {body:?}"))?;
        } else if let Some(names) = expectation.strip_prefix('{') {
            let found = members(&body).map_err(|error| format!("{error}: {body:?}"))?;
            (found == names)
                .then_some(())
                .ok_or_else(|| format!("the members are {found}"))?;
        } else if expectation.starts_with(['/', '!']) {
            member(expectation, &body, kept)?;
        } else if let Some(name) = expectation.strip_prefix('-') {
            let found = headers.get(name);
            found.map_or(Ok(()), |value| {
                Err(format!("there is a header {name}: {value:?}"))
            })?;
        } else if let Some((name, text)) = expectation.split_once(':') {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            let holds = value.is_some_and(|value| {
                if text.is_empty() {
                    value.is_empty()
                } else {
                    value.contains(text)
                }
            });
            holds
                .then_some(())
                .ok_or_else(|| format!("the header {name} is {value:?}"))?;
        }
    }
    if status >= 400 && !of_body && !body.is_empty() {
        return Err(format!("the body is not empty: {body:?}"));
    }
    Ok(())
}

/// The names of an object's members as they come, which a [`Value`] does not keep.
fn members(body: &str) -> serde_json::Result<String> {
    struct Names;

    impl<'de> Visitor<'de> for Names {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut names = Vec::new();
            while let Some((name, IgnoredAny)) = map.next_entry()? {
                names.push(name);
            }
            Ok(names)
        }
    }

    let mut json = serde_json::Deserializer::from_str(body);
    Ok(json.deserialize_map(Names)?.join(","))
}

fn member(expectation: &str, body: &str, kept: &mut HashMap<String, String>) -> Result<(), String> {
    let json: Value = serde_json::from_str(body).map_err(|_| format!("no JSON: {body:?}"))?;
    if let Some(pointer) = expectation.strip_prefix('!') {
        return match json.pointer(pointer) {
            None => Ok(()),
            Some(value) => Err(format!("{pointer} is {value}")),
        };
    }
    if let Some((pointer, name)) = expectation.split_once('>') {
        let text = json.pointer(pointer).and_then(Value::as_str);
        kept.insert(
            name.to_owned(),
            text.ok_or_else(|| format!("no {pointer} in {body}"))?
                .to_owned(),
        );
        return Ok(());
    }
    let (pointer, expected) = expectation.split_once('=').ok_or("no `=`")?;
    let expected: Value =
        serde_json::from_str(expected).map_err(|error| format!("{expected}: {error}"))?;
    match json.pointer(pointer.trim_end_matches("/.")) {
        Some(found) if *found == expected => Ok(()),
        found => Err(format!("{pointer} is {found:?} in {body}")),
    }
}
