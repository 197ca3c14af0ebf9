//! Schemas of their own for tests that share a PostgreSQL.

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::Error;

/// Makes the schema `name` at `url` unless it is there, and gives the address of a database that consists of it.
///
/// # Errors
/// When the database can't be reached or refuses.
///
/// # Panics
/// When `name` is more than small letters, digits and underscores.
pub async fn make(url: &str, name: &str) -> Result<String, Error> {
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    assert!(name.chars().all(plain), "{name} is not the name of a schema");
    let mut connection = PgConnection::connect(url).await?;
    let statement = format!("CREATE SCHEMA IF NOT EXISTS {name}");
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
    connection.close().await?;
    let separator = if url.contains('?') { '&' } else { '?' };
    Ok(format!("{url}{separator}options=-c%20search_path%3D{name}"))
}
