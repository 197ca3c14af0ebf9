//! How large a file is, and giving back what it does not use.

use sqlx::AssertSqlSafe;

use crate::{Error, Sqlite};

/// How large a file is, without its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Bytes of the whole file.
    pub file: u64,
    /// Bytes of it that hold something.
    pub used: u64,
}

impl Sqlite {
    /// How large the file is now.
    ///
    /// # Errors
    /// When it can't be read.
    pub async fn size(&self) -> Result<Size, Error> {
        let text = "SELECT page_count, freelist_count, page_size
            FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()";
        let (pages, free, page): (i64, i64, i64) = sqlx::query_as(text).fetch_one(&self.reader).await?;
        let bytes = |pages: i64| u64::try_from(pages * page).unwrap_or(0);
        Ok(Size { file: bytes(pages), used: bytes(pages - free) })
    }

    /// Makes the file shorter by up to so many of the pages that it does not use, in one transaction. Those of its end are
    /// moved for that. The file system has them back after the next checkpoint.
    ///
    /// # Errors
    /// When it can't be written.
    pub async fn shorten(&self, pages: u32) -> Result<(), Error> {
        let text = format!("PRAGMA incremental_vacuum({pages})");
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&self.writer).await?;
        Ok(())
    }

    /// Writes the log into the file, as far as no reader is in the way.
    ///
    /// # Errors
    /// When it can't be written.
    pub async fn checkpoint(&self) -> Result<(), Error> {
        sqlx::raw_sql("PRAGMA wal_checkpoint(PASSIVE)").execute(&self.writer).await?;
        Ok(())
    }
}
