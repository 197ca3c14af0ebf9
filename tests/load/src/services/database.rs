//! Databases of one run.

use anyhow::{Context, Result};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

/// Makes a database on a server, and returns its address.
pub(super) async fn create(server: &str, name: &str) -> Result<String> {
    execute(server, format!("CREATE DATABASE {name}")).await.with_context(|| format!("make the database {name}"))?;
    with_database(server, name)
}

/// Removes a database, if it is there, whoever still uses it.
pub(super) async fn drop(server: &str, name: &str) -> Result<()> {
    let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
    execute(server, statement).await.with_context(|| format!("remove the database {name}"))
}

/// `name` is made by us and holds nothing that needs quotes.
async fn execute(server: &str, statement: String) -> Result<()> {
    let options: PgConnectOptions = server.parse().context("read the address of PostgreSQL")?;
    let mut connection = options.connect().await.context("connect to PostgreSQL")?;
    sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await?;
    Ok(connection.close().await?)
}

/// The address with another database.
fn with_database(server: &str, name: &str) -> Result<String> {
    let mut url = url::Url::parse(server).context("read the address of PostgreSQL")?;
    url.set_path(name);
    Ok(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_all_but_its_database() {
        let server = "postgres://me:p%40ss@127.0.0.1:5432/postgres?sslmode=disable";
        assert_eq!(with_database(server, "mine").unwrap(), "postgres://me:p%40ss@127.0.0.1:5432/mine?sslmode=disable");
        assert_eq!(with_database("postgres://me@db", "mine").unwrap(), "postgres://me@db/mine");
    }
}
