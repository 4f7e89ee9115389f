//! Templates as descriptions write them: only `{name}`s, and a path of its own for every placeholder that may be left out.

use serde_json::{Map, Value, json};

use super::constraint::Constraint;
use super::segment::{Part, Placeholder, Segment};
use super::template::Template;

/// One of the paths that a template stands for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shape {
    /// `/api/products/{category}`.
    pub(crate) path: String,
    /// Placeholders with the JSON schema of their values.
    pub(crate) parameters: Vec<(String, Value)>,
}

impl Template {
    /// The paths that it stands for, the shortest first.
    pub(crate) fn shapes(&self) -> Vec<Shape> {
        let segments = self.segments();
        let omitted = segments
            .iter()
            .rev()
            .take_while(|segment| may_be_absent(segment));
        let shortest = segments.len() - omitted.count();
        (shortest..=segments.len())
            .flat_map(|length| of_length(segments.get(..length).unwrap_or(segments)))
            .collect()
    }
}

fn may_be_absent(segment: &Segment) -> bool {
    match segment {
        Segment::Placeholder(one) => one.optional || one.catch_all || one.default.is_some(),
        Segment::Literal(_) | Segment::Complex(_) => false,
    }
}

/// Each segment with an optional part doubles the shapes: from here on the whole form stands for both.
const MANY: usize = 64;

/// With and without the part after the dot that may be left out.
fn of_length(segments: &[Segment]) -> Vec<Shape> {
    let mut shapes = vec![Shape {
        path: String::new(),
        parameters: Vec::new(),
    }];
    for segment in segments {
        let mut longer = Vec::new();
        let mut forms = forms(segment);
        if shapes.len() >= MANY {
            forms.drain(..forms.len().saturating_sub(1));
        }
        for shape in &shapes {
            longer.extend(forms.iter().cloned().map(|(text, placeholders)| {
                Shape {
                    path: format!("{}/{text}", shape.path),
                    parameters: shape
                        .parameters
                        .iter()
                        .cloned()
                        .chain(placeholders.into_iter().map(parameter))
                        .collect(),
                }
            }));
        }
        shapes = longer;
    }
    for shape in &mut shapes {
        if shape.path.is_empty() {
            shape.path.push('/');
        }
    }
    shapes
}

fn forms(segment: &Segment) -> Vec<(String, Vec<&Placeholder>)> {
    let written = |parts: &[Part]| {
        parts
            .iter()
            .map(|part| match part {
                Part::Literal(text) => text.clone(),
                Part::Placeholder(one) => format!("{{{}}}", one.name),
            })
            .collect()
    };
    match segment {
        Segment::Literal(text) => vec![(text.clone(), Vec::new())],
        Segment::Placeholder(one) => vec![(format!("{{{}}}", one.name), vec![one])],
        Segment::Complex(parts) => {
            let whole: (String, Vec<_>) = (written(parts), segment.placeholders().collect());
            match parts.as_slice() {
                [front @ .., Part::Literal(_), Part::Placeholder(last)] if last.optional => {
                    let front_ones = front.iter().filter_map(Part::placeholder).collect();
                    vec![(written(front), front_ones), whole]
                }
                _ => vec![whole],
            }
        }
    }
}

fn parameter(placeholder: &Placeholder) -> (String, Value) {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), "string".into());
    for constraint in &placeholder.constraints {
        schema.extend(members(constraint));
    }
    (placeholder.name.clone(), Value::Object(schema))
}

/// What a constraint says, as far as JSON Schema can say it.
fn members(constraint: &Constraint) -> Map<String, Value> {
    let members = match constraint {
        Constraint::Int => json!({ "type": "integer", "format": "int32" }),
        Constraint::Long => json!({ "type": "integer", "format": "int64" }),
        Constraint::Bool => json!({ "type": "boolean" }),
        Constraint::Decimal => json!({ "type": "number" }),
        Constraint::Float => json!({ "type": "number", "format": "double" }),
        Constraint::DateTime => json!({ "format": "date-time" }),
        Constraint::Guid => json!({ "format": "uuid" }),
        Constraint::Alpha => json!({ "pattern": "^[A-Za-z]*$" }),
        Constraint::Length(least, usize::MAX) => json!({ "minLength": least }),
        Constraint::Length(least, most) => json!({ "minLength": least, "maxLength": most }),
        Constraint::Range(least, most) => {
            let mut bounds = json!({ "type": "integer" });
            if *least != i64::MIN {
                bounds["minimum"] = json!(least);
            }
            if *most != i64::MAX {
                bounds["maximum"] = json!(most);
            }
            bounds
        }
        Constraint::Regex(regex) => json!({ "pattern": regex.as_str() }),
        Constraint::Required => json!({ "minLength": 1 }),
        Constraint::File | Constraint::NonFile => json!({}),
    };
    match members {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_stands_for_every_path_that_it_matches() {
        for (template, expected) in [
            ("a", vec!["/a"]),
            ("", vec!["/"]),
            ("a/{b:alpha}/{c:int?}", vec!["/a/{b}", "/a/{b}/{c}"]),
            ("a/{b?}/{c=5}", vec!["/a", "/a/{b}", "/a/{b}/{c}"]),
            ("files/{*path}", vec!["/files", "/files/{path}"]),
            ("x/{file}.{ext?}", vec!["/x/{file}", "/x/{file}.{ext}"]),
        ] {
            let shapes = Template::parse(template).unwrap().shapes();
            let paths: Vec<_> = shapes.iter().map(|shape| &*shape.path).collect();
            assert_eq!(paths, expected, "{template}");
        }
    }

    #[test]
    fn many_optional_parts_are_not_every_combination_of_them() {
        let segments: Vec<String> = (0..40).map(|n| format!("{{a{n}}}.{{b{n}?}}")).collect();
        let shapes = Template::parse(&segments.join("/")).unwrap().shapes();
        assert_eq!(shapes.len(), MANY);
        assert_eq!(shapes.last().unwrap().parameters.len(), 80);
    }

    #[test]
    fn constraints_become_schemas() {
        for (template, expected) in [
            ("{a}", json!({ "type": "string" })),
            (
                "{a:int:min(1)}",
                json!({ "type": "integer", "format": "int32", "minimum": 1 }),
            ),
            (
                "{a:length(2,3)}",
                json!({ "type": "string", "minLength": 2, "maxLength": 3 }),
            ),
            ("{a:guid}", json!({ "type": "string", "format": "uuid" })),
        ] {
            let shapes = Template::parse(template).unwrap().shapes();
            assert_eq!(
                shapes[0].parameters,
                [("a".to_owned(), expected)],
                "{template}"
            );
        }
    }
}
