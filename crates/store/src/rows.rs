//! Statements over many rows for SQLite, which has no arrays to unnest.

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

/// Rows a statement may have at the most; each size is a power of two, so that few texts are prepared.
const SIZES: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];

/// A statement with a marker `/*rows*/` where lists of values stand, prepared for a few numbers of rows.
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

    /// The text for a chunk of `size` rows, one of those that [`chunks`] makes.
    #[must_use]
    pub fn text(&self, size: usize) -> SqlStr {
        self.texts[size.ilog2() as usize].clone()
    }
}

/// Cuts `rows` into chunks whose sizes [`Rows`] has texts for.
pub fn chunks<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = SIZES.into_iter().rev().find(|size| *size <= rows.len())?;
        let (chunk, rest) = rows.split_at(size);
        rows = rest;
        Some(chunk)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_into_powers_of_two() {
        let rows: Vec<u8> = vec![0; 64 + 64 + 8 + 2 + 1];
        let sizes: Vec<usize> = chunks(&rows).map(<[u8]>::len).collect();
        assert_eq!(sizes, [64, 64, 8, 2, 1]);
    }

    #[test]
    fn writes_one_list_a_row() {
        let rows = Rows::new("INSERT INTO t VALUES /*rows*/", 2);
        assert_eq!(rows.text(2).as_str(), "INSERT INTO t VALUES (?, ?), (?, ?)");
    }
}
