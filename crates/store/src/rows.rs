//! Statements over many rows for SQLite, which has no arrays to unnest.

use std::iter;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

/// Numbers of rows that a statement is written for: few, so that few texts are prepared, and near enough to each other
/// that little is repeated.
const SIZES: [usize; 16] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256];
const LARGEST: usize = SIZES[SIZES.len() - 1];

/// A statement with a marker `/*rows*/` where lists of values stand, written for a few numbers of rows.
///
/// It must do no harm when a row comes twice: a chunk is filled up with its last row, see [`padded`].
#[derive(Debug)]
pub struct Rows {
    texts: Vec<SqlStr>,
}

impl Rows {
    /// Takes the statement and the number of values in a row. Other parameters may follow: their numbers begin
    /// after those of the rows, so they are written as plain `?`.
    #[must_use]
    pub fn new(statement: &'static str, columns: usize) -> Self {
        let texts = SIZES.map(|size| {
            let row = format!("({})", vec!["?"; columns].join(", "));
            let text = statement.replace("/*rows*/", &vec![row; size].join(", "));
            AssertSqlSafe(text).into_sql_str()
        });
        Self { texts: texts.into() }
    }

    /// The text for a chunk that [`chunks`] made, whose values are bound as [`padded`] gives them.
    #[must_use]
    pub fn text<T>(&self, chunk: &[T]) -> SqlStr {
        self.texts[size_for(chunk.len())].clone()
    }
}

/// Cuts `rows` into chunks that a statement can take.
pub fn chunks<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    rows.chunks(LARGEST)
}

/// The rows of a chunk, the last one again and again until they are as many as its text has places for.
pub fn padded<T>(chunk: &[T]) -> impl Iterator<Item = &T> {
    let missing = SIZES[size_for(chunk.len())] - chunk.len();
    chunk.iter().chain(iter::repeat_n(chunk.last(), missing).flatten())
}

/// The index of the smallest size that holds `count` rows.
fn size_for(count: usize) -> usize {
    SIZES.iter().position(|size| *size >= count).unwrap_or(SIZES.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_into_chunks_that_a_statement_can_take() {
        let rows: Vec<u8> = vec![0; LARGEST + 5];
        let sizes: Vec<usize> = chunks(&rows).map(<[u8]>::len).collect();
        assert_eq!(sizes, [LARGEST, 5]);
    }

    #[test]
    fn writes_as_many_lists_as_there_are_padded_rows() {
        let rows = Rows::new("INSERT INTO t VALUES /*rows*/", 2);
        let chunk = [1, 2, 3, 4, 5];
        assert_eq!(rows.text(&chunk).as_str().matches("(?, ?)").count(), 6);
        assert_eq!(padded(&chunk).copied().collect::<Vec<_>>(), [1, 2, 3, 4, 5, 5]);
        assert_eq!(rows.text(&[1, 2]).as_str(), "INSERT INTO t VALUES (?, ?), (?, ?)");
    }
}
