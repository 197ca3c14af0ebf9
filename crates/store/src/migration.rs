//! Forward-only migrations, numbered alike on both engines.

use sqlx::{AssertSqlSafe, PgPool};

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

const TABLE: &str = "CREATE TABLE IF NOT EXISTS patchbay_migrations (
    service TEXT NOT NULL,
    number BIGINT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (service, number)
)";
/// One key for all who migrate: they take turns.
const POSTGRES_LOCK: &str = "SELECT pg_advisory_xact_lock(7281130112)";
const TABLE_EXISTS: &str = "SELECT to_regclass('patchbay_migrations') IS NOT NULL";
const APPLIED: &str = "SELECT number FROM patchbay_migrations WHERE service = $1 ORDER BY number";
const RECORD: &str = "INSERT INTO patchbay_migrations (service, number, name) VALUES ($1, $2, $3)";

impl Engine {
    /// Brings the tables of `service` up to the last of `migrations`, in one transaction. Others wait. An engine that was
    /// opened to [check](Schema::Check) only looks.
    ///
    /// # Errors
    /// When a statement fails (then nothing changed), the tables are newer than this version, or older and only looked at.
    pub async fn migrate(&self, service: &'static str, migrations: &[Migration]) -> Result<(), Error> {
        if let Self::Postgres(postgres) = self
            && postgres.schema == Schema::Check
        {
            return check(&postgres.pool, service, migrations).await;
        }
        let mut transaction = self.begin().await?;
        match &mut transaction {
            Transaction::Postgres(inner) => {
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
}

async fn check(pool: &PgPool, service: &'static str, migrations: &[Migration]) -> Result<(), Error> {
    let exists: bool = sqlx::query_scalar(TABLE_EXISTS).fetch_one(pool).await?;
    let applied: Vec<i64> = match exists {
        true => sqlx::query_scalar(APPLIED).bind(service).fetch_all(pool).await?,
        false => Vec::new(),
    };
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
