//! The history on PostgreSQL has a partition for each day on which runs end. Days are made ahead and taken off whole,
//! without anybody waiting for it.

use std::collections::BTreeSet;

use patchbay_store::{Error, within};
use patchbay_types::{RunId, Timestamp};
use sqlx::{AssertSqlSafe, FromRow};

use super::{Store, Way, connections::Link};

const DAY: i64 = 86_400_000_000;
/// Days that are made ahead.
const AHEAD: i64 = 7;
/// `no partition of relation found for row` is a violation of a check that has no name
/// (<https://www.postgresql.org/docs/15/errcodes-appendix.html>).
const CHECK_VIOLATION: &str = "23514";
/// All who make days take turns, and one at a time takes them off. Each schema has a lock of its own.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7281130, 'executor_history'::REGCLASS::OID::INTEGER)";
const TRY_LOCK: &str = "SELECT pg_try_advisory_lock(7281130, 'executor_history'::REGCLASS::OID::INTEGER)";
/// Nobody waits longer behind one who waits.
const BRIEFLY: &str = "SET lock_timeout = '500ms'";

/// A partition of the history, or a table that was one.
#[derive(Debug, FromRow)]
struct Day {
    name: String,
    /// From when, in days since 1970; nothing when it is none any more.
    number: Option<i64>,
    /// Whether it is half taken off.
    leaving: bool,
}

/// The earliest time at which a run can have ended, from the time in its id: it tells which days need not be looked at.
/// The clocks of those who begin and end a run may differ, so it is a day less.
pub(super) fn begun(id: RunId) -> i64 {
    let millis = id.as_bytes()[..6].iter().fold(0_i64, |millis, byte| (millis << 8) | i64::from(*byte));
    millis * 1000 - DAY
}

/// Whether a row was refused because its day has no partition.
pub(super) fn is_missing(error: &Error) -> bool {
    let Error::Other(sqlx::Error::Database(error)) = error else { return false };
    error.code().as_deref() == Some(CHECK_VIOLATION) && error.constraint().is_none()
}

impl Store {
    /// Makes the days from yesterday on, a week ahead. Nothing is to be done on SQLite.
    pub(crate) async fn make_days_ahead(&self) -> Result<(), Error> {
        let Way::Postgres(connections) = &self.way else { return Ok(()) };
        let mut link = connections.take().await?;
        let text = "SELECT extract(epoch FROM clock_timestamp())::BIGINT / 86400";
        let today: i64 = within(link.deadline, sqlx::query_scalar(text).fetch_one(&mut *link)).await?;
        make(&mut link, (today - 1..=today + AHEAD).collect()).await?;
        connections.keep(link);
        Ok(())
    }

    /// Makes the days of these times.
    pub(super) async fn make_days(&self, times: impl IntoIterator<Item = Timestamp>) -> Result<(), Error> {
        let Way::Postgres(connections) = &self.way else { return Ok(()) };
        let mut link = connections.take().await?;
        let days = times.into_iter().map(|time| time.as_micros().div_euclid(DAY)).collect();
        make(&mut link, days).await?;
        connections.keep(link);
        Ok(())
    }

    /// Drops the days that were over before `before`, and what an earlier try left. Says how many days it dropped.
    pub(super) async fn drop_days(&self, before: Timestamp) -> Result<u64, Error> {
        let Way::Postgres(connections) = &self.way else { return Ok(0) };
        // The lock goes with the connection, however this ends.
        let mut link = connections.take().await?;
        if !within(link.deadline, sqlx::query_scalar(TRY_LOCK).fetch_one(&mut *link)).await? {
            connections.keep(link);
            return Ok(0);
        }
        within(link.deadline, sqlx::raw_sql(BRIEFLY).execute(&mut *link)).await?;
        let last = before.as_micros().div_euclid(DAY);
        let mut dropped = 0;
        // The half taken first: while there is one, no other can be taken off.
        let mut days = days(&mut link).await?;
        days.sort_by_key(|day| !day.leaving);
        for day in days.iter().filter(|day| day.leaving || day.number.is_none_or(|number| number < last)) {
            let name = &day.name;
            if day.leaving || day.number.is_some() {
                let how = if day.leaving { "FINALIZE" } else { "CONCURRENTLY" };
                run(&mut link, format!("ALTER TABLE executor_history DETACH PARTITION {name} {how}")).await?;
            }
            run(&mut link, format!("DROP TABLE {name}")).await?;
            tracing::info!(day = name, "a day of finished runs was dropped");
            dropped += 1;
        }
        Ok(dropped)
    }
}

/// Makes the days that are not there. A table is made first and attached then, which keeps nobody waiting.
async fn make(link: &mut Link, mut missing: BTreeSet<i64>) -> Result<(), Error> {
    let is_there = |days: &[Day], number: &i64| days.iter().any(|day| day.number == Some(*number) && !day.leaving);
    let there = days(link).await?;
    missing.retain(|number| !is_there(&there, number));
    if missing.is_empty() {
        return Ok(());
    }
    run(link, "BEGIN".to_owned()).await?;
    run(link, LOCK.to_owned()).await?;
    let there = days(link).await?;
    for number in missing {
        if is_there(&there, &number) {
            continue;
        }
        let text = "SELECT 'executor_history_' || to_char(to_timestamp($1 * 86400) AT TIME ZONE 'UTC', 'YYYYMMDD')";
        let naming = sqlx::query_scalar(text).bind(number);
        let name: String = within(link.deadline, naming.fetch_one(&mut **link)).await?;
        // Whoever was taking this very day off died over it.
        if let Some(day) = there.iter().find(|day| day.name == name) {
            if day.leaving {
                run(link, format!("ALTER TABLE executor_history DETACH PARTITION {name} FINALIZE")).await?;
            }
            run(link, format!("DROP TABLE {name}")).await?;
        }
        let (from, to) = (number * DAY, (number + 1) * DAY);
        run(
            link,
            format!(
                "CREATE TABLE {name} (
                    LIKE executor_history INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE,
                    CONSTRAINT day CHECK (finished_at >= {from} AND finished_at < {to})
                );
                ALTER TABLE executor_history ATTACH PARTITION {name} FOR VALUES FROM ({from}) TO ({to});
                ALTER TABLE {name} DROP CONSTRAINT day;"
            ),
        )
        .await?;
        tracing::info!(day = name, "a day for finished runs was made");
    }
    run(link, "COMMIT".to_owned()).await
}

async fn days(link: &mut Link) -> Result<Vec<Day>, Error> {
    let looking = sqlx::query_as(include_str!("../queries/days.postgres.sql"));
    Ok(within(link.deadline, looking.fetch_all(&mut **link)).await?)
}

/// The texts hold nothing but numbers and names of ours.
async fn run(link: &mut Link, text: String) -> Result<(), Error> {
    within(link.deadline, sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut **link)).await?;
    Ok(())
}
