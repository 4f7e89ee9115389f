//! Output: tables for people, JSON for scripts.

use std::io::{self, Write as _};

use serde::Serialize;

use super::failure::Failure;

/// Columns under headings, as wide as they must be; the last is not padded.
pub(super) fn render<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = headings.map(|heading| heading.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let headings = headings.map(str::to_owned);
    lines(std::iter::once(&headings).chain(rows), widths)
}

/// Names and what belongs to them, side by side.
pub(super) fn aligned(rows: &[[String; 2]]) -> String {
    let names = rows.iter().map(|[name, _]| name.chars().count());
    lines(rows.iter(), [names.max().unwrap_or(0), 0])
}

fn lines<'a, const N: usize>(
    rows: impl Iterator<Item = &'a [String; N]>,
    widths: [usize; N],
) -> String {
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, &width) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:width$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Writes to standard output; that nobody reads on is no failure.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Writes one JSON value and a new line.
pub(super) fn print_json<T: Serialize + ?Sized>(value: &T) -> Result<(), Failure> {
    let mut text = serde_json::to_string(value).map_err(io::Error::from)?;
    text.push('\n');
    print(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_their_headings() {
        let rows = [["a".into(), "xyz".into()], ["bcdéf".into(), String::new()]];
        assert_eq!(render(["ID", "N"], &rows), "ID     N\na      xyz\nbcdéf\n");
    }
}
