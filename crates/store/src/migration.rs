//! Forward-only migrations, numbered alike on both engines.

use sqlx::AssertSqlSafe;

use crate::{Engine, Error, Schema, Transaction};

/// One step of a service's schema.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// From 1, without gaps.
    pub number: i64,
    /// What it does, in a word or two.
    pub name: &'static str,
    /// Its statements for SQLite.
    pub sqlite: &'static str,
    /// Its statements for PostgreSQL.
    pub postgres: &'static str,
}

/// A step that a database has taken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Applied {
    /// Whose tables.
    pub service: String,
    /// Its number among the service's steps.
    pub number: i64,
    /// What it does, in a word or two.
    pub name: String,
}

const TABLE: &str = "CREATE TABLE IF NOT EXISTS patchbay_migrations (
    service TEXT NOT NULL,
    number BIGINT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (service, number)
)";
/// Steps may take longer than other statements, and so may waiting for them.
const POSTGRES_PATIENCE: &str = "SET LOCAL statement_timeout = 0";
/// One key for all who migrate: they take turns.
const POSTGRES_LOCK: &str = "SELECT pg_advisory_xact_lock(7281130112)";
const TABLE_EXISTS_POSTGRES: &str = "SELECT to_regclass('patchbay_migrations') IS NOT NULL";
const TABLE_EXISTS_SQLITE: &str =
    "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'patchbay_migrations')";
const ALL_APPLIED: &str = "SELECT service, number, name FROM patchbay_migrations ORDER BY service, number";
const APPLIED: &str = "SELECT number FROM patchbay_migrations WHERE service = $1 ORDER BY number";
const RECORD: &str = "INSERT INTO patchbay_migrations (service, number, name) VALUES ($1, $2, $3)";

impl Engine {
    /// Brings the tables of `service` up to the last of `migrations`, in one transaction. Others wait. An engine that was
    /// opened to [check](Schema::Check) only looks.
    ///
    /// # Errors
    /// When a statement fails (then nothing changed), the tables are newer than this version, or older and only looked at.
    pub async fn migrate(&self, service: &'static str, migrations: &[Migration]) -> Result<(), Error> {
        if self.schema() == Schema::Check {
            return check(self, service, migrations).await;
        }
        let mut transaction = self.begin().await?;
        match &mut transaction {
            Transaction::Postgres(inner) => {
                sqlx::raw_sql(POSTGRES_PATIENCE).execute(&mut **inner).await?;
                sqlx::query(POSTGRES_LOCK).execute(&mut **inner).await?;
                sqlx::query(TABLE).execute(&mut **inner).await?;
            }
            Transaction::Sqlite(inner) => {
                sqlx::query(TABLE).execute(&mut **inner).await?;
            }
        }
        let applied: Vec<i64> = crate::write!(transaction, connection => sqlx::query_scalar::<_, i64>(APPLIED)
            .bind(service).fetch_all(connection).await)?;
        refuse_newer(service, migrations, &applied)?;
        for migration in migrations.iter().filter(|migration| !applied.contains(&migration.number)) {
            match &mut transaction {
                Transaction::Postgres(inner) => {
                    sqlx::raw_sql(AssertSqlSafe(migration.postgres)).execute(&mut **inner).await?;
                }
                Transaction::Sqlite(inner) => {
                    sqlx::raw_sql(AssertSqlSafe(migration.sqlite)).execute(&mut **inner).await?;
                }
            }
            crate::write!(transaction, connection => sqlx::query(RECORD)
                .bind(service).bind(migration.number).bind(migration.name).execute(connection).await.map(drop))?;
            tracing::info!(service, number = migration.number, name = migration.name, "migration applied");
        }
        transaction.commit().await
    }

    /// Every step that this database has taken, in order of service and number.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn applied(&self) -> Result<Vec<Applied>, Error> {
        let table_exists = match self {
            Self::Postgres(_) => TABLE_EXISTS_POSTGRES,
            Self::Sqlite(_) => TABLE_EXISTS_SQLITE,
        };
        let exists: bool = crate::read!(self, pool => sqlx::query_scalar(table_exists).fetch_one(pool).await)?;
        if !exists {
            return Ok(Vec::new());
        }
        let rows: Vec<(String, i64, String)> =
            crate::read!(self, pool => sqlx::query_as(ALL_APPLIED).fetch_all(pool).await)?;
        Ok(rows.into_iter().map(|(service, number, name)| Applied { service, number, name }).collect())
    }
}

async fn check(engine: &Engine, service: &'static str, migrations: &[Migration]) -> Result<(), Error> {
    let applied = engine.applied().await?.into_iter().filter(|applied| applied.service == service);
    let applied: Vec<i64> = applied.map(|applied| applied.number).collect();
    refuse_newer(service, migrations, &applied)?;
    match migrations.iter().find(|migration| !applied.contains(&migration.number)) {
        None => Ok(()),
        Some(Migration { number, name, .. }) => {
            let reason = format!("step {number} ({name}) is not applied; run `patchbay migrate` first");
            Err(Error::Schema { service, reason })
        }
    }
}

fn refuse_newer(service: &'static str, migrations: &[Migration], applied: &[i64]) -> Result<(), Error> {
    let newer = applied.iter().find(|number| migrations.iter().all(|known| known.number != **number));
    let Some(newer) = newer else { return Ok(()) };
    let reason = format!("it has step {newer}, made by a newer version; start that version, or restore a backup");
    Err(Error::Schema { service, reason })
}
