//! Where in a JSON text a member stands: parsed JSON has forgotten it.

/// The line of the member at that path, from one. Names are compared without case.
pub(super) fn line_of(text: &str, path: &[&str]) -> Option<usize> {
    let mut at = Place::default();
    let mut characters = text.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '\n' => at.line += 1,
            '{' | '[' => at.open.push(None),
            '}' | ']' => drop(at.open.pop()),
            '"' => {
                let start = index + 1;
                let mut escaped = false;
                let end = characters.by_ref().find(|(_, character)| {
                    let over = *character == '"' && !escaped;
                    escaped = *character == '\\' && !escaped;
                    over
                });
                let end = end.map(|(end, _)| end)?;
                at.string(
                    &text[start..end],
                    text[end + 1..].trim_start().starts_with(':'),
                );
                if at.is(path) {
                    return Some(at.line + 1);
                }
            }
            _ => {}
        }
    }
    None
}

#[derive(Default)]
struct Place {
    line: usize,
    /// The name that came last in each object that is open.
    open: Vec<Option<String>>,
}

impl Place {
    fn string(&mut self, text: &str, is_name: bool) {
        if let Some(name) = self.open.last_mut().filter(|_| is_name) {
            *name = Some(text.to_owned());
        }
    }

    fn is(&self, path: &[&str]) -> bool {
        self.open.len() == path.len()
            && self.open.iter().zip(path).all(|(open, name)| {
                open.as_ref()
                    .is_some_and(|open| open.eq_ignore_ascii_case(name))
            })
    }
}
