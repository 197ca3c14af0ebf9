//! A batch on PostgreSQL: one statement, which is its own transaction, so one round trip.
//!
//! Its parts stand in `queries/write_*.postgres.sql`, each a list of common table expressions. The numbers of their
//! parameters never change; a batch without rows for a part leaves it out, since even nothing costs its share. What is
//! joined by its id is also looked for by it, so that no plan reads more rows than are named, whatever the planner knows
//! of the tables.

use std::{collections::HashSet, fmt::Display, hash::Hash};

use patchbay_store::{Error, within};
use patchbay_types::{ConnectionId, IncarnationId, RunId, Timestamp};
use prost::Message as _;
use sqlx::{AssertSqlSafe, Row as _, SqlSafeStr as _, SqlStr, postgres::PgRow};
use uuid::Uuid;

use super::{Changes, Moved, connections::Link, count, finished_batch};
use crate::rows::{DeadRow, EndRow, OpenRow, ProgressRow, phase_name};

/// The parts, and the column of the answer that each gives.
const PARTS: [(&str, &[&str]); 5] = [
    (include_str!("../queries/write_opens.postgres.sql"), &["opened", "alive"]),
    (include_str!("../queries/write_progress.postgres.sql"), &["moved"]),
    (include_str!("../queries/write_ends.postgres.sql"), &["closed"]),
    (include_str!("../queries/write_letters.postgres.sql"), &[]),
    (include_str!("../queries/write_told.postgres.sql"), &[]),
];
const WRITTEN_BEFORE: &str = include_str!("../queries/written_before.postgres.sql");

/// The statement for each choice of parts.
#[derive(Debug)]
pub(super) struct Texts(Vec<SqlStr>);

impl Texts {
    pub(super) fn new() -> Self {
        let choices = (0..1 << PARTS.len()).map(|choice: usize| {
            let is_chosen = |index: usize| choice & (1 << index) != 0;
            let parts: Vec<&str> =
                (0..PARTS.len()).filter(|index| is_chosen(*index)).map(|index| PARTS[index].0.trim_end()).collect();
            let column = |(index, name): (usize, &&str)| match is_chosen(index) {
                true => format!("ARRAY(SELECT id FROM {name}) AS {name}"),
                false => format!("ARRAY[]::BYTEA[] AS {name}"),
            };
            let named =
                PARTS.iter().enumerate().flat_map(|(index, (_, names))| names.iter().map(move |name| (index, name)));
            let columns: Vec<String> = named.map(column).collect();
            let with = if parts.is_empty() { String::new() } else { format!("WITH {} ", parts.join(",\n")) };
            AssertSqlSafe(format!("{with}SELECT {}", columns.join(", "))).into_sql_str()
        });
        Self(choices.collect())
    }

    /// The statement for `changes`. Letters look at the ends, so they bring these along.
    fn of(&self, changes: &Changes<'_>) -> SqlStr {
        let letters = !changes.dead.is_empty() || changes.ends.iter().any(|row| row.dead.is_some());
        let chosen = [
            !changes.opens.is_empty(),
            !changes.progress.is_empty(),
            !changes.ends.is_empty() || letters,
            letters,
            !changes.told.is_empty(),
        ];
        let choice =
            chosen.iter().enumerate().fold(0, |choice, (index, chosen)| choice | usize::from(*chosen) << index);
        self.0[choice].clone()
    }
}

/// Writes all of `changes`, or nothing. The batch of ended runs gets this id.
pub(super) async fn write(
    link: &mut Link,
    texts: &Texts,
    changes: &Changes<'_>,
    batch: Uuid,
    now: Timestamp,
) -> Result<Moved, Error> {
    let writing = statement(texts.of(changes), changes, batch, now);
    let row = within(link.deadline, writing.fetch_one(&mut **link)).await?;
    let alive: HashSet<IncarnationId> = ids(&row, "alive", IncarnationId::from_slice)?;
    let mut moved = Moved {
        opened: ids(&row, "opened", RunId::from_slice)?,
        moved: ids(&row, "moved", RunId::from_slice)?,
        ended: ids(&row, "closed", RunId::from_slice)?,
        ..Moved::default()
    };
    let unopened = changes.opens.iter().filter(|row| !moved.opened.contains(&row.identity.id));
    let unopened: Vec<&OpenRow> = unopened.copied().collect();
    let unended = changes.ends.iter().filter(|row| !moved.ended.contains(&row.identity.id));
    let unended: Vec<&EndRow> = unended.copied().collect();
    if unopened.is_empty() && unended.is_empty() {
        return Ok(moved);
    }
    // The statement may have waited for the very transaction that it repeats: only a new one sees what that wrote.
    let before = within(link.deadline, written_before(&unopened, &unended).fetch_one(&mut **link)).await?;
    moved.opened.extend(ids(&before, "opened", RunId::from_slice)?);
    moved.ended_before = ids(&before, "closed", RunId::from_slice)?;
    let is_refused = |row: &&OpenRow| {
        !moved.opened.contains(&row.identity.id) && row.owner.is_some_and(|owner| !alive.contains(&owner))
    };
    moved.refused = unopened.into_iter().filter(is_refused).map(|row| row.identity.id).collect();
    Ok(moved)
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;

fn statement<'q>(text: SqlStr, changes: &'q Changes<'_>, batch: Uuid, now: Timestamp) -> Query<'q> {
    let query = bind_opens(sqlx::query(text), &changes.opens);
    let query = bind_progress(query, &changes.progress);
    let query = bind_ends(query, &changes.ends).bind(batch.as_bytes().to_vec()).bind(now.as_micros());
    let of_ends = changes.ends.iter().filter_map(|row| Some((row.dead.as_ref()?, Some(row.identity.id))));
    let letters = changes.dead.iter().map(|row| (*row, None)).chain(of_ends).collect::<Vec<_>>();
    bind_letters(query, &letters).bind(changes.told.iter().map(|batch| batch.as_bytes().to_vec()).collect::<Vec<_>>())
}

fn bind_opens<'q>(query: Query<'q>, rows: &[&'q OpenRow]) -> Query<'q> {
    query
        .bind(column(rows, |row| row.identity.id.as_bytes().as_slice()))
        .bind(column(rows, |row| row.identity.workspace.get()))
        .bind(column(rows, |row| row.identity.automation.as_bytes().as_slice()))
        .bind(column(rows, |row| row.identity.version))
        .bind(column(rows, |row| row.identity.event_id.as_str()))
        .bind(column(rows, |row| phase_name(row.state.phase)))
        .bind(column(rows, |row| owner(row.owner.as_ref())))
        .bind(column(rows, |row| count(row.state.step)))
        .bind(column(rows, |row| i64::from(row.state.in_doubt)))
        .bind(column(rows, |row| i64::from(row.state.attempts)))
        .bind(column(rows, |row| i64::from(row.state.generation)))
        .bind(column(rows, |row| i64::from(row.state.takeovers)))
        .bind(column(rows, |row| row.identity.attempt))
        .bind(column(rows, |row| row.identity.started_at.as_micros()))
        .bind(column(rows, |row| row.behind.map(ConnectionId::get)))
        .bind(column(rows, |row| row.reason))
        .bind(column(rows, |row| row.connections.as_str()))
        .bind(column(rows, |row| row.input.as_slice()))
        .bind(column(rows, |row| row.seen.as_slice()))
        .bind(column(rows, |row| row.seen_at.as_micros()))
        .bind(column(rows, |row| row.seen_until.as_micros()))
}

fn bind_progress<'q>(query: Query<'q>, rows: &[&'q ProgressRow]) -> Query<'q> {
    query
        .bind(column(rows, |row| row.id.as_bytes().as_slice()))
        .bind(column(rows, |row| row.epoch))
        .bind(column(rows, |row| phase_name(row.state.phase)))
        .bind(column(rows, |row| owner(row.owner.as_ref())))
        .bind(column(rows, |row| count(row.state.step)))
        .bind(column(rows, |row| i64::from(row.state.in_doubt)))
        .bind(column(rows, |row| i64::from(row.state.attempts)))
        .bind(column(rows, |row| i64::from(row.state.generation)))
        .bind(column(rows, |row| i64::from(row.state.takeovers)))
        .bind(column(rows, |row| row.due_at.map(Timestamp::as_micros)))
        .bind(column(rows, |row| row.behind.map(ConnectionId::get)))
        .bind(column(rows, |row| row.reason.as_deref()))
        .bind(column(rows, |row| row.steps.as_slice()))
}

/// What an open run says of itself is not sent again: it is taken from its row.
fn bind_ends<'q>(query: Query<'q>, rows: &[&'q EndRow]) -> Query<'q> {
    query
        .bind(column(rows, |row| row.identity.id.as_bytes().as_slice()))
        .bind(column(rows, |row| row.epoch))
        .bind(column(rows, |row| row.status))
        .bind(column(rows, |row| count(row.step)))
        .bind(column(rows, |row| i64::from(row.in_doubt)))
        .bind(column(rows, |row| i64::from(row.generation)))
        .bind(column(rows, |row| row.finished_at.as_micros()))
        .bind(column(rows, |row| row.steps.as_slice()))
        .bind(column(rows, |row| finished_batch([row]).encode_to_vec()))
}

fn bind_letters<'q>(query: Query<'q>, rows: &[(&'q DeadRow, Option<RunId>)]) -> Query<'q> {
    let id = |id: Option<RunId>| id.map(|id| id.as_bytes().to_vec());
    query
        .bind(rows.iter().map(|(row, _)| row.key().to_vec()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(row, _)| row.workspace).collect::<Vec<_>>())
        .bind(rows.iter().map(|(row, _)| row.kind).collect::<Vec<_>>())
        .bind(rows.iter().map(|(row, _)| row.reason.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(row, _)| row.error.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(row, _)| id(row.run)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(row, _)| row.source.as_deref()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(row, _)| row.event_id.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(row, _)| row.original.as_deref()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(row, _)| row.at.as_micros()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, ended)| id(*ended)).collect::<Vec<_>>())
}

fn written_before<'q>(opens: &[&'q OpenRow], ends: &[&'q EndRow]) -> Query<'q> {
    sqlx::query(WRITTEN_BEFORE)
        .bind(column(opens, |row| row.identity.id.as_bytes().as_slice()))
        .bind(column(opens, |row| row.seen.as_slice()))
        .bind(column(opens, |row| owner(row.owner.as_ref())))
        .bind(column(ends, |row| row.identity.id.as_bytes().as_slice()))
        .bind(column(ends, |row| row.epoch))
        .bind(column(ends, |row| row.finished_at.as_micros()))
}

fn column<'q, R, T>(rows: &[&'q R], value: impl Fn(&'q R) -> T) -> Vec<T> {
    rows.iter().map(|row| value(row)).collect()
}

fn owner(owner: Option<&IncarnationId>) -> Option<&[u8]> {
    owner.map(|owner| owner.as_bytes().as_slice())
}

fn ids<T: Eq + Hash, E: Display>(
    row: &PgRow,
    column: &str,
    read: fn(&[u8]) -> Result<T, E>,
) -> Result<HashSet<T>, Error> {
    let ids: Vec<Vec<u8>> = row.try_get(column)?;
    ids.iter().map(|id| read(id).map_err(|error| Error::Damaged(error.to_string()))).collect()
}
