//! What must hold of any `host.json`.

use std::path::Path;

use super::config::Variables;
use super::settings::Told;

/// A `host.json`, read as a host that starts reads it.
pub(crate) fn fuzz_host_json(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let given = [
        ("Given", "given"),
        ("AzureFunctionsJobHost__extensions__http__routePrefix", "v1"),
    ];
    let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let read = || Told::of_text(&text, Variables::of(given.clone()), Path::new("."));
    match read() {
        Ok(told) => {
            let again = read().map(|again| format!("{again:?}")).unwrap_or_default();
            assert_eq!(format!("{told:?}"), again, "read twice, it is another");
            for said in told.faults.iter().chain(&told.warnings) {
                placed(said, &text);
            }
            assert_eq!(told.http.route_prefix, "v1", "what is given wins");
            true
        }
        Err(error) => {
            let said = error.to_string();
            assert!(said.starts_with("host.json"), "which file? {said}");
            placed(&said, &text);
            false
        }
    }
}

/// A line that a message names is one of the file's.
fn placed(said: &str, text: &str) {
    let Some(rest) = said.strip_prefix("host.json:") else {
        return;
    };
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let Ok(line) = digits.parse::<usize>() else {
        return;
    };
    // An error at the very end may be told as on the line after it.
    let lines = text.matches('\n').count() + 2;
    assert!(
        (1..=lines).contains(&line),
        "{said}: there are {lines} lines"
    );
}
