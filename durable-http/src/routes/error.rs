//! Why a template cannot be read.

/// A template that cannot be read: which, where and why, with what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}`, character {at}: {problem}")]
pub(crate) struct TemplateError {
    text: String,
    at: usize,
    problem: String,
}

impl TemplateError {
    /// An error at the byte `offset` of `text`, told as a character counted from one.
    pub(super) fn new(text: &str, offset: usize, problem: impl Into<String>) -> TemplateError {
        let before = text.char_indices().take_while(|(byte, _)| *byte < offset);
        TemplateError {
            text: text.to_owned(),
            at: before.count() + 1,
            problem: problem.into(),
        }
    }
}
