//! Spanned errors: collected over a whole item, so that all are reported at once.
//!
//! `syn::Error` carries them and not `darling::Error`, as that one keeps only the first token of
//! what it marks. What darling finds is taken in as it is.

use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

/// The errors of one item, in the order in which they were found.
#[derive(Debug, Default)]
pub(crate) struct Diagnostics {
    errors: Vec<syn::Error>,
}

impl Diagnostics {
    /// Takes in an error that syn or darling made.
    pub(crate) fn push(&mut self, error: impl Into<syn::Error>) {
        self.errors.push(error.into());
    }

    /// Reports `message` at `tokens`.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.errors.push(syn::Error::new_spanned(tokens, message));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// The errors, and after them `item`, which stays so that nothing else misses it.
    pub(crate) fn with_item(self, item: impl ToTokens) -> TokenStream {
        let errors = self.errors.into_iter().map(syn::Error::into_compile_error);
        quote! { #(#errors)* #item }
    }

    /// The messages alone, for unit tests.
    #[cfg(test)]
    pub(crate) fn messages(self) -> Vec<String> {
        let each = self.errors.into_iter().flatten();
        each.map(|error| error.to_string()).collect()
    }
}

/// `` `a`, `b` or `c` ``
pub(crate) fn one_of<T: AsRef<str>>(names: &[T]) -> String {
    let quoted: Vec<_> = names
        .iter()
        .map(|name| format!("`{}`", name.as_ref()))
        .collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// The line that says what was probably meant; nothing when no name is near.
pub(crate) fn did_you_mean<T: AsRef<str>>(written: &str, names: &[T]) -> String {
    let written = written.to_lowercase();
    let is_near = |(distance, name): &(usize, &str)| {
        // One begins the other, or two of five characters differ at most.
        let (short, long) = (name.len().min(written.len()), name.len().max(written.len()));
        let begins = name.starts_with(&written) || written.starts_with(name);
        (begins && short >= 3) || distance * 5 <= long * 2
    };
    let near = names.iter().map(|name| {
        (
            distance(&written, &name.as_ref().to_lowercase()),
            name.as_ref(),
        )
    });
    let near = near.filter(is_near).min_by_key(|(distance, _)| *distance);
    near.map(|(_, name)| format!("\nhelp: did you mean `{name}`?"))
        .unwrap_or_default()
}

/// How many characters must be put in, taken out, replaced or swapped with the next.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut rows = vec![(0..=right.len()).collect::<Vec<_>>()];
    for (i, a) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let mut best = (rows[i][j] + usize::from(a != b)).min(rows[i][j + 1] + 1);
            best = best.min(row[j] + 1);
            if i > 0 && j > 0 && *a == right[j - 1] && left[i - 1] == *b {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested() {
        let names = ["auth", "methods", "route"];
        assert_eq!(
            did_you_mean("metods", &names),
            "\nhelp: did you mean `methods`?"
        );
        assert_eq!(did_you_mean("atuh", &names), "\nhelp: did you mean `auth`?");
        assert_eq!(
            did_you_mean("routes", &names),
            "\nhelp: did you mean `route`?"
        );
        assert_eq!(
            did_you_mean("meth", &names),
            "\nhelp: did you mean `methods`?"
        );
        assert_eq!(did_you_mean("timeout", &names), "");
    }

    #[test]
    fn names_are_listed() {
        assert_eq!(one_of(&["a", "b", "c"]), "`a`, `b` or `c`");
        assert_eq!(one_of(&["a"]), "`a`");
        assert_eq!(one_of::<&str>(&[]), "");
    }
}
