//! What must hold of any template and any path.

use super::{RouteSpec, Table, template::Template};

/// The first line is a template, the second a path.
pub(crate) fn fuzz_route_template(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let (written, path) = text.split_once('\n').unwrap_or((&text, "/"));
    let Ok(template) = Template::parse(written) else {
        return false;
    };
    let names: Vec<String> = template.names().map(str::to_lowercase).collect();
    let once: std::collections::BTreeSet<&String> = names.iter().collect();
    assert_eq!(once.len(), names.len(), "a name is there twice");
    let again = Template::parse(template.text());
    let again = again.unwrap_or_else(|error| unreachable!("its own text is refused: {error}"));
    assert_eq!(again.text(), template.text());
    for shape in template.shapes() {
        assert!(shape.parameters.len() <= names.len(), "{}", shape.path);
    }
    let values = template.matches(path);
    assert_eq!(again.matches(path), values);
    if let Some(values) = &values {
        assert_eq!(values.len(), names.len(), "a value for each placeholder");
    }
    let spec = RouteSpec {
        function: "F".to_owned(),
        route: written.to_owned(),
        methods: Vec::new(),
        target: (),
    };
    // The table has an index, which must lose nothing. Some templates are not for functions.
    if let (Ok(table), false) = (
        Table::build("", false, vec![spec]),
        written.trim().is_empty(),
    ) {
        let found = table.find("GET", path).map(|found| found.values);
        assert_eq!(found, values, "the index and the template differ");
    }
    true
}
