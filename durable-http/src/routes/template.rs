//! Templates (1.3): parsed once, at start.

use super::constraint::Constraint;

/// A route template.
#[derive(Debug, Clone)]
pub(super) struct Template {
    /// As written, without outer slashes.
    pub(super) text: String,
    pub(super) segments: Vec<Segment>,
}

/// What stands between two slashes.
#[derive(Debug, Clone)]
pub(super) enum Segment {
    Literal(String),
    Param(Param),
    CatchAll(Param),
    /// `{file}.{ext?}`: literals and parameters in turn.
    Complex(Vec<Part>),
}

#[derive(Debug, Clone)]
pub(super) enum Part {
    Literal(String),
    Param(Param),
}

#[derive(Debug, Clone)]
pub(super) struct Param {
    pub(super) name: String,
    pub(super) constraints: Vec<Constraint>,
    pub(super) default: Option<String>,
    pub(super) optional: bool,
}

impl Param {
    pub(super) fn admits(&self, value: &str) -> bool {
        self.constraints
            .iter()
            .all(|constraint| constraint.admits(value))
    }

    /// Whether the segment may be left out.
    pub(super) fn is_omittable(&self) -> bool {
        self.optional || self.default.is_some()
    }
}

impl Template {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.strip_prefix("~/").unwrap_or(text).trim_matches('/');
        let mut segments = Vec::new();
        for part in split(text)? {
            segments.push(parse_segment(&part)?);
        }
        let template = Self {
            text: text.to_owned(),
            segments,
        };
        template.check()?;
        Ok(template)
    }

    /// Names of the parameters, in order.
    pub(super) fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for segment in &self.segments {
            match segment {
                Segment::Literal(_) => {}
                Segment::Param(param) | Segment::CatchAll(param) => names.push(&*param.name),
                Segment::Complex(parts) => {
                    names.extend(parts.iter().filter_map(|part| match part {
                        Part::Param(param) => Some(&*param.name),
                        Part::Literal(_) => None,
                    }))
                }
            }
        }
        names
    }

    fn check(&self) -> Result<(), String> {
        let mut seen: Vec<String> = Vec::new();
        for name in self.names() {
            let key = name.to_lowercase();
            if seen.contains(&key) {
                return Err(format!("the parameter `{name}` stands twice"));
            }
            seen.push(key);
        }
        let last = self.segments.len().saturating_sub(1);
        let misplaced = self
            .segments
            .iter()
            .enumerate()
            .any(|(index, segment)| matches!(segment, Segment::CatchAll(_)) && index != last);
        if misplaced {
            Err("a catch-all must be the last segment".to_owned())
        } else {
            Ok(())
        }
    }
}

/// Segments; a slash within braces (a pattern's) does not split.
fn split(text: &str) -> Result<Vec<String>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let mut segments = vec![String::new()];
    let mut depth = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let doubled = matches!(c, '{' | '}') && chars.peek() == Some(&c);
        let current = segments.last_mut().ok_or("empty")?;
        match c {
            '{' | '}' if doubled && (c == '{' || depth || !current.ends_with('}')) => {
                current.push(c);
                current.push(c);
                chars.next();
            }
            '{' if depth => {
                return Err(
                    "`{` stands within a parameter; a brace itself is written twice".to_owned(),
                );
            }
            '{' => {
                depth = true;
                current.push(c);
            }
            '}' if !depth => {
                return Err("`}` has no `{`; a brace itself is written twice".to_owned());
            }
            '}' => {
                depth = false;
                current.push(c);
            }
            '/' if !depth => segments.push(String::new()),
            '?' if !depth => {
                return Err(
                    "`?` must not stand outside of a parameter: a route has no query".to_owned(),
                );
            }
            c => current.push(c),
        }
    }
    if depth {
        return Err("`{` is never closed".to_owned());
    }
    if segments.iter().any(String::is_empty) {
        return Err("a segment is empty: `//`".to_owned());
    }
    Ok(segments)
}

fn parse_segment(text: &str) -> Result<Segment, String> {
    let mut parts = parts_of(text)?;
    if parts.len() == 1 {
        return Ok(match parts.remove(0) {
            Part::Literal(literal) => Segment::Literal(literal),
            Part::Param(param) => match param.name.strip_prefix('*') {
                None => Segment::Param(param),
                Some(name) => {
                    let name = name.strip_prefix('*').unwrap_or(name).to_owned();
                    check_name(&name)?;
                    if param.optional {
                        return Err(format!(
                            "the catch-all `{name}` must not be optional: it may be empty anyway"
                        ));
                    }
                    Segment::CatchAll(Param { name, ..param })
                }
            },
        });
    }
    check_complex(&parts)?;
    Ok(Segment::Complex(parts))
}

fn check_complex(parts: &[Part]) -> Result<(), String> {
    for (index, part) in parts.iter().enumerate() {
        let Part::Param(param) = part else { continue };
        if param.name.starts_with('*') {
            return Err("a catch-all must be alone in its segment".to_owned());
        }
        if index > 0 && matches!(parts[index - 1], Part::Param(_)) {
            return Err(format!(
                "a literal must stand before `{{{}}}`: two parameters in a row cannot be told apart",
                param.name
            ));
        }
        if param.optional {
            let after_dot = index > 0
                && matches!(&parts[index - 1], Part::Literal(literal) if literal.ends_with('.'));
            if index + 1 != parts.len() || !after_dot {
                return Err(format!(
                    "the optional `{{{}?}}` must be last in its segment, after a dot",
                    param.name
                ));
            }
        }
    }
    Ok(())
}

fn parts_of(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("{{").or_else(|| rest.strip_prefix("}}")) {
            literal.push(c);
            rest = after;
        } else if c == '{' {
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            let end = param_end(rest);
            parts.push(Part::Param(parse_param(
                rest.get(1..end).unwrap_or_default(),
            )?));
            rest = rest.get(end + 1..).unwrap_or_default();
        } else {
            literal.push(c);
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    Ok(parts)
}

/// Where the brace that closes a parameter stands; doubled ones belong to a pattern.
fn param_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut index = 1;
    let mut parens = 0_usize;
    while index < bytes.len() {
        match bytes[index] {
            b'(' => parens += 1,
            b')' => parens = parens.saturating_sub(1),
            b'{' if bytes.get(index + 1) == Some(&b'{') => index += 1,
            b'}' if parens > 0 && bytes.get(index + 1) == Some(&b'}') => index += 1,
            b'}' => return index,
            _ => {}
        }
        index += 1;
    }
    bytes.len()
}

/// `name(:constraint)*[=default][?]`.
fn parse_param(text: &str) -> Result<Param, String> {
    let text = text.replace("{{", "{").replace("}}", "}");
    let (body, optional) = text
        .strip_suffix('?')
        .map_or((&*text, false), |body| (body, true));
    let end = body.find([':', '=']).unwrap_or(body.len());
    let name = body.get(..end).unwrap_or_default().to_owned();
    check_name(name.trim_start_matches('*'))?;
    let mut rest = body.get(end..).unwrap_or_default();
    let mut constraints = Vec::new();
    while let Some(after) = rest.strip_prefix(':') {
        let end = constraint_end(after);
        let written = after.get(..end).unwrap_or_default();
        let (ident, args) = match written.split_once('(') {
            None => (written, None),
            Some((ident, args)) => match args.strip_suffix(')') {
                Some(args) => (ident, Some(args)),
                None => return Err(format!("the constraint `{written}` has no `)`")),
            },
        };
        constraints.push(Constraint::parse(ident, args)?);
        rest = after.get(end..).unwrap_or_default();
    }
    let default = rest.strip_prefix('=').map(str::to_owned);
    if optional && default.is_some() {
        return Err(format!(
            "the parameter `{name}` must not be optional and have a default: it always has a value"
        ));
    }
    Ok(Param {
        name,
        constraints,
        default,
        optional,
    })
}

/// A constraint ends before the next `:` or `=` outside of its parentheses.
fn constraint_end(text: &str) -> usize {
    let mut parens = 0_usize;
    for (index, c) in text.char_indices() {
        match c {
            '(' => parens += 1,
            ')' => parens = parens.saturating_sub(1),
            ':' | '=' if parens == 0 => return index,
            _ => {}
        }
    }
    text.len()
}

fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() || name.contains(['/', '{', '}', '?', '*']) {
        return Err(format!(
            "`{name}` is no name for a parameter; expected something without `/ {{ }} ? *`"
        ));
    }
    Ok(())
}
