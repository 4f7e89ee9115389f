//! Route templates, as far as an attribute needs them: whether one is well-formed, and which
//! placeholders it has. The host compiles the same text again when it starts.
//!
//! ```text
//! template   := ["~/" | "/"] segment *("/" segment) ["/"]
//! segment    := part+
//! part       := literal | "{" param "}"
//! param      := ["*" | "**"] name *(":" constraint) ["=" default] ["?"]
//! constraint := ident ["(" args ")"]
//! ```

use crate::diagnostics::{did_you_mean, one_of};

/// A placeholder of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placeholder {
    pub(crate) name: String,
    /// `{name?}`
    pub(crate) optional: bool,
    /// `{*name}`
    pub(crate) catch_all: bool,
}

/// What is wrong with a route, and where: the number of the character, from one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) position: usize,
    pub(crate) message: String,
}

impl Fault {
    fn new(position: usize, message: impl Into<String>) -> Self {
        Self {
            position: position + 1,
            message: message.into(),
        }
    }
}

/// A part of a segment.
#[derive(Debug)]
enum Part {
    Literal { at: usize, text: String },
    Parameter { at: usize, placeholder: Placeholder },
}

impl Part {
    fn at(&self) -> usize {
        match self {
            Self::Literal { at, .. } | Self::Parameter { at, .. } => *at,
        }
    }
}

/// The placeholders of `route` in order, or every fault that can be told.
pub(crate) fn parse(route: &str) -> Result<Vec<Placeholder>, Vec<Fault>> {
    let mut parser = Parser {
        chars: route.chars().collect(),
        at: 0,
        faults: Vec::new(),
    };
    let segments = parser.template();
    let mut faults = parser.faults;
    if faults.is_empty() {
        check(&segments, &mut faults);
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let parts = segments.into_iter().flatten();
    let placeholders = parts.filter_map(|part| match part {
        Part::Parameter { placeholder, .. } => Some(placeholder),
        Part::Literal { .. } => None,
    });
    Ok(placeholders.collect())
}

/// Cuts the text into segments and parts.
struct Parser {
    chars: Vec<char>,
    at: usize,
    faults: Vec<Fault>,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next_is(&self, expected: char) -> bool {
        self.chars.get(self.at + 1) == Some(&expected)
    }

    fn template(&mut self) -> Vec<Vec<Part>> {
        if self.peek() == Some('~') {
            if self.next_is('/') {
                self.at += 1;
            } else {
                self.faults
                    .push(Fault::new(0, "`~` must be followed by `/`"));
            }
        }
        while self.peek() == Some('/') {
            self.at += 1;
        }
        while self.chars.len() > self.at && self.chars.last() == Some(&'/') {
            self.chars.pop();
        }
        let mut segments = Vec::new();
        while self.peek().is_some() {
            segments.push(self.segment());
            if self.peek() == Some('/') {
                self.at += 1;
                if self.peek() == Some('/') {
                    self.faults
                        .push(Fault::new(self.at, "`//`: a segment must not be empty"));
                    while self.peek() == Some('/') {
                        self.at += 1;
                    }
                }
            }
        }
        segments
    }

    fn segment(&mut self) -> Vec<Part> {
        let mut parts = Vec::new();
        while let Some(c) = self.peek()
            && c != '/'
        {
            let at = self.at;
            if c == '{' && !self.next_is('{') {
                self.at += 1;
                let text = self.parameter_text(at);
                if let Some(placeholder) = text.and_then(|text| self.parameter(&text, at + 1)) {
                    parts.push(Part::Parameter { at, placeholder });
                }
            } else {
                let text = self.literal();
                parts.push(Part::Literal { at, text });
            }
        }
        parts
    }

    fn literal(&mut self) -> String {
        let mut text = String::new();
        while let Some(c) = self.peek()
            && c != '/'
        {
            match c {
                '{' | '}' if self.next_is(c) => self.at += 1,
                '{' => break,
                '}' => {
                    let message = "`}` closes no `{`: write `}}` for a brace in the text";
                    self.faults.push(Fault::new(self.at, message));
                }
                '?' => {
                    let message = "`?` must not stand outside of braces: a query is no part of a \
                                   route, and `{name?}` is an optional placeholder";
                    self.faults.push(Fault::new(self.at, message));
                }
                _ => {}
            }
            text.push(c);
            self.at += 1;
        }
        text
    }

    /// The text up to the closing brace, which is skipped, with doubled braces made single; and
    /// the place of each of its characters in the route. Where braces do not match, nothing that
    /// follows can be told, and reading ends.
    fn parameter_text(&mut self, open: usize) -> Option<Vec<(usize, char)>> {
        let mut text = Vec::new();
        while let Some(c) = self.peek() {
            match c {
                '{' | '}' if self.next_is(c) => {
                    text.push((self.at, c));
                    self.at += 2;
                    continue;
                }
                '}' => {
                    self.at += 1;
                    return Some(text);
                }
                '{' => {
                    let message = "`{` must not stand inside a placeholder: write `{{` for a brace";
                    self.faults.push(Fault::new(self.at, message));
                    self.at = self.chars.len();
                    return None;
                }
                _ => {}
            }
            text.push((self.at, c));
            self.at += 1;
        }
        self.faults.push(Fault::new(open, "`{` is never closed"));
        None
    }

    /// What stands between the braces. `at` is where it begins, for when nothing does.
    fn parameter(&mut self, text: &[(usize, char)], at: usize) -> Option<Placeholder> {
        let faults = self.faults.len();
        let (optional, mut rest) = match text {
            [rest @ .., (_, '?')] => (true, rest),
            rest => (false, rest),
        };
        let mut stars = 0;
        while let [(_, '*'), after @ ..] = rest
            && stars < 2
        {
            stars += 1;
            rest = after;
        }
        let end = rest
            .iter()
            .position(|(_, c)| matches!(c, ':' | '='))
            .unwrap_or(rest.len());
        let (name, mut rest) = rest.split_at(end);
        self.name(name, at);
        while let [(colon, ':'), after @ ..] = rest {
            rest = self.constraint(*colon, after);
        }
        if let [(equals, '='), ..] = rest
            && optional
        {
            let message = "a placeholder must not have both a default and `?`: with a default it \
                           is there always";
            self.faults.push(Fault::new(*equals, message));
        }
        let name = string(name);
        (self.faults.len() == faults).then_some(Placeholder {
            name,
            optional,
            catch_all: stars > 0,
        })
    }

    fn name(&mut self, name: &[(usize, char)], at: usize) {
        if name.is_empty() {
            self.faults
                .push(Fault::new(at, "a placeholder must have a name"));
        }
        for (at, c) in name.iter().filter(|(_, c)| "/}?*".contains(*c)) {
            let message = format!("the name of a placeholder must not contain `{c}`");
            self.faults.push(Fault::new(*at, message));
        }
    }

    /// One constraint behind its `:`; gives what follows it.
    fn constraint<'a>(&mut self, colon: usize, text: &'a [(usize, char)]) -> &'a [(usize, char)] {
        let end = text.iter().position(|(_, c)| matches!(c, ':' | '=' | '('));
        let (name, rest) = text.split_at(end.unwrap_or(text.len()));
        let [(open, '('), after @ ..] = rest else {
            self.check_constraint(colon, &string(name), None);
            return rest;
        };
        // The arguments may hold any of `:`, `=`, `(` and `)`: they end where `)` is followed by
        // something that can follow a constraint.
        let closes = |index: &usize| {
            after[*index].1 == ')' && matches!(after.get(index + 1), None | Some((_, ':' | '=')))
        };
        let Some(close) = (0..after.len()).find(closes) else {
            self.faults.push(Fault::new(*open, "`(` is never closed"));
            return &[];
        };
        self.check_constraint(colon, &string(name), Some(&string(&after[..close])));
        &after[close + 1..]
    }

    fn check_constraint(&mut self, colon: usize, name: &str, arguments: Option<&str>) {
        if let Some(message) = constraint_fault(name, arguments) {
            self.faults.push(Fault::new(colon + 1, message));
        }
    }
}

fn string(text: &[(usize, char)]) -> String {
    text.iter().map(|(_, c)| c).collect()
}

/// What a constraint takes between its parentheses.
#[derive(Debug, Clone, Copy)]
enum Takes {
    Nothing,
    Length,
    LengthOrRange,
    Bound,
    Bounds,
    Expression,
}

const CONSTRAINTS: [(&str, Takes); 19] = [
    ("alpha", Takes::Nothing),
    ("bool", Takes::Nothing),
    ("datetime", Takes::Nothing),
    ("decimal", Takes::Nothing),
    ("double", Takes::Nothing),
    ("file", Takes::Nothing),
    ("float", Takes::Nothing),
    ("guid", Takes::Nothing),
    ("int", Takes::Nothing),
    ("length", Takes::LengthOrRange),
    ("long", Takes::Nothing),
    ("max", Takes::Bound),
    ("maxlength", Takes::Length),
    ("min", Takes::Bound),
    ("minlength", Takes::Length),
    ("nonfile", Takes::Nothing),
    ("range", Takes::Bounds),
    ("regex", Takes::Expression),
    ("required", Takes::Nothing),
];

fn constraint_fault(name: &str, arguments: Option<&str>) -> Option<String> {
    let known = CONSTRAINTS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name.trim()));
    let Some((known, takes)) = known else {
        let names = CONSTRAINTS.map(|(name, _)| name);
        let listed = one_of(&names);
        return Some(format!(
            "unknown constraint `{name}`: there are {listed}{}",
            did_you_mean(name, &names)
        ));
    };
    let numbers: Option<Vec<i64>> = arguments
        .map(|text| {
            text.split(',')
                .map(|number| number.trim().parse().ok())
                .collect()
        })
        .unwrap_or_default();
    let expected = match (takes, arguments, numbers.as_deref()) {
        (Takes::Nothing, None, _) => return None,
        (Takes::Expression, Some(text), _) if !text.is_empty() => return None,
        (Takes::Length | Takes::LengthOrRange, _, Some([(0..)])) => return None,
        (Takes::LengthOrRange, _, Some([(0..), (0..)])) => return order_fault(known, numbers),
        (Takes::Bound, _, Some([_])) => return None,
        (Takes::Bounds, _, Some([_, _])) => return order_fault(known, numbers),
        (Takes::Nothing, ..) => return Some(format!("`{known}` must be written without `(..)`")),
        (Takes::Expression, ..) => format!("{known}(expression)"),
        (Takes::Length | Takes::Bound, ..) => format!("{known}(4)"),
        (Takes::LengthOrRange, ..) => {
            return Some(format!(
                "`{known}` must be written `{known}(4)` or `{known}(4,8)`"
            ));
        }
        (Takes::Bounds, ..) => format!("{known}(4,8)"),
    };
    Some(format!("`{known}` must be written `{expected}`"))
}

fn order_fault(name: &str, bounds: Option<Vec<i64>>) -> Option<String> {
    let bounds = bounds?;
    let [low, high] = bounds.as_slice() else {
        return None;
    };
    (low > high).then(|| format!("the first number of `{name}({low},{high})` must not be above the second: nothing would match"))
}

/// What cannot be told from one part alone.
fn check(segments: &[Vec<Part>], faults: &mut Vec<Fault>) {
    let mut names: Vec<String> = Vec::new();
    for (index, parts) in segments.iter().enumerate() {
        let last_segment = index + 1 == segments.len();
        for (index, part) in parts.iter().enumerate() {
            let Part::Parameter { at, placeholder } = part else {
                continue;
            };
            let name = &placeholder.name;
            if names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                let message = format!("the placeholder `{name}` is there twice");
                faults.push(Fault::new(*at, message));
            }
            names.push(name.clone());
            if placeholder.catch_all {
                check_catch_all(*at, placeholder, last_segment && parts.len() == 1, faults);
            } else if placeholder.optional {
                check_optional(&parts[..index], part, &parts[index + 1..], faults);
            }
            if let Some(Part::Parameter {
                placeholder: before,
                ..
            }) = index.checked_sub(1).and_then(|before| parts.get(before))
            {
                let message = format!(
                    "the placeholders `{}` and `{name}` must have some text between them",
                    before.name
                );
                faults.push(Fault::new(*at, message));
            }
        }
    }
    if let Some([Part::Literal { at, text }]) = segments.first().map(Vec::as_slice)
        && let Some(reserved) = reserved(text)
    {
        faults.push(Fault::new(*at, reserved));
    }
}

fn check_catch_all(at: usize, placeholder: &Placeholder, last: bool, faults: &mut Vec<Fault>) {
    let name = &placeholder.name;
    if !last {
        let message = format!(
            "`{{*{name}}}` must be alone in the last segment: it takes the rest of the path"
        );
        faults.push(Fault::new(at, message));
    }
    if placeholder.optional {
        let message = format!("`{{*{name}}}` must not have a `?`: it may be empty as it is");
        faults.push(Fault::new(at, message));
    }
}

fn check_optional(before: &[Part], part: &Part, after: &[Part], faults: &mut Vec<Fault>) {
    let Part::Parameter { at, placeholder } = part else {
        return;
    };
    let name = &placeholder.name;
    if let Some(next) = after.first() {
        let message = format!("`{{{name}?}}` must be the last of its segment");
        faults.push(Fault::new(next.at(), message));
    }
    if let Some(Part::Literal { text, .. }) = before.last()
        && text != "."
    {
        let message = format!(
            "`{{{name}?}}` must be alone in its segment, or follow a placeholder and a `.`, found `{text}`"
        );
        faults.push(Fault::new(*at, message));
    }
}

/// Why a route must not begin with this segment.
pub(crate) fn reserved(segment: &str) -> Option<String> {
    let taken = ["admin", "runtime"]
        .iter()
        .any(|name| name.eq_ignore_ascii_case(segment));
    taken.then(|| {
        format!("the route must not begin with `{segment}`, which the host keeps for itself")
    })
}

#[cfg(test)]
mod tests;
