//! What is said on standard output.

use std::io::{self, Write};

use anyhow::Context;
use serde::Serialize;

use crate::failure::Failure;

/// Prints `text`, which ends with a line break, at once.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    let printed = output.write_all(text.as_bytes()).and_then(|()| output.flush());
    Ok(printed.context("standard output can't be written")?)
}

/// Prints one JSON value on a line.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let line = serde_json::to_string(value).context("the answer can't be written as JSON")?;
    print(&format!("{line}\n"))
}

/// Columns as wide as their widest cell, but the last.
pub(crate) fn table<const COLUMNS: usize>(head: [&str; COLUMNS], rows: &[[String; COLUMNS]]) -> String {
    let mut widths = head.map(|cell| cell.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    let mut line = |cells: [&str; COLUMNS]| {
        let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        let joined = padded.collect::<Vec<_>>().join("  ");
        text.push_str(joined.trim_end());
        text.push('\n');
    };
    line(head);
    for row in rows {
        line(row.each_ref().map(String::as_str));
    }
    text
}

/// Text on one line, without what a terminal would act on, and not longer than `most` characters.
pub(crate) fn plain(text: &str, most: usize) -> String {
    let shown = |character: char| if character.is_control() { ' ' } else { character };
    let mut plain: String = text.chars().map(shown).take(most).collect();
    if text.chars().nth(most).is_some() {
        plain.push('…');
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_as_wide_as_its_cells() {
        let rows =
            [["1".to_owned(), "äöü".to_owned(), "x".to_owned()], ["22".to_owned(), "a".to_owned(), String::new()]];
        assert_eq!(table(["ID", "NAME", "WHAT"], &rows), "ID  NAME  WHAT\n1   äöü   x\n22  a\n");
    }

    #[test]
    fn text_of_others_can_do_nothing_to_a_terminal() {
        assert_eq!(plain("a\u{1b}[31mb\nc", 20), "a [31mb c");
        assert_eq!(plain("äöüß", 3), "äöü…");
    }
}
