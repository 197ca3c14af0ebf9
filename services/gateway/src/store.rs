//! The gateway's tables.

use patchbay_runtime::Clock;
use patchbay_store::{Engine, Error, Migration, payload, read, within, write};
use patchbay_types::{Timestamp, UserId, WorkspaceId};
use sqlx::{query, query_as, query_scalar};

use crate::{
    domain::{Email, STANDARD_PLAN, Session, User, Workspace},
    token::TokenDigest,
    users::Created,
};

const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "users",
    sqlite: include_str!("../migrations/sqlite/0001_users.sql"),
    postgres: include_str!("../migrations/postgres/0001_users.sql"),
}];

const INSERT_WORKSPACE: &str = include_str!("../queries/insert_workspace.sql");
const INSERT_USER: &str = include_str!("../queries/insert_user.sql");
const USER_BY_EMAIL: &str = include_str!("../queries/user_by_email.sql");
const INSERT_TOKEN: &str = include_str!("../queries/insert_token.sql");
const SESSION: &str = include_str!("../queries/session.sql");
const DELETE_EXPIRED_TOKENS: &str = include_str!("../queries/delete_expired_tokens.sql");
const WORKSPACE: &str = include_str!("../queries/workspace.sql");
const WORKSPACES: &str = include_str!("../queries/workspaces.sql");
const BEGIN_ANSWER: &str = include_str!("../queries/begin_answer.sql");
const NOW: &str = include_str!("../queries/now.postgres.sql");
const ANSWER: &str = include_str!("../queries/answer.sql");
const TAKE_OVER_ANSWER: &str = include_str!("../queries/take_over_answer.sql");
const FINISH_ANSWER: &str = include_str!("../queries/finish_answer.sql");
const DROP_ANSWER: &str = include_str!("../queries/drop_answer.sql");
const DELETE_OLD_ANSWERS: &str = include_str!("../queries/delete_old_answers.sql");

/// Brings the gateway's tables up to date.
///
/// # Errors
/// When a step fails (then nothing changed), or the tables are newer than this version.
pub async fn migrate(engine: &Engine) -> Result<(), Error> {
    engine.migrate("gateway", MIGRATIONS).await
}

/// The tables. Cloning shares them.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    engine: Engine,
}

/// Where the answer to a request with an idempotency key is kept.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    pub(crate) workspace: WorkspaceId,
    /// The digest of route and key.
    pub(crate) digest: [u8; 32],
}

/// What is in a slot.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) body_digest: Vec<u8>,
    pub(crate) begun_at: Timestamp,
    /// Status and body, once the request was answered.
    pub(crate) answer: Option<(i64, Vec<u8>)>,
}

impl Store {
    pub(crate) const fn new(engine: Engine) -> Self {
        Self { engine }
    }

    /// A new user with a workspace of their own.
    pub(crate) async fn create_user(&self, email: &Email, hash: &str, now: Timestamp) -> Result<Created, Error> {
        let mut transaction = self.engine.begin().await?;
        let workspace: i64 = write!(transaction, connection => query_scalar(INSERT_WORKSPACE)
            .bind(email.as_str()).bind(STANDARD_PLAN).bind(now.as_micros()).fetch_one(connection).await)?;
        let user: i64 = write!(transaction, connection => query_scalar(INSERT_USER)
            .bind(workspace).bind(email.as_str()).bind(hash).bind(now.as_micros()).fetch_one(connection).await)?;
        transaction.commit().await?;
        Ok(Created { user: UserId::new(user), workspace: WorkspaceId::new(workspace) })
    }

    pub(crate) async fn user(&self, email: &Email) -> Result<Option<User>, Error> {
        let found: Option<(i64, i64, String)> = read!(&self.engine, pool =>
            query_as(USER_BY_EMAIL).bind(email.as_str()).fetch_optional(pool).await)?;
        Ok(found.map(|(id, workspace, password_hash)| User {
            id: UserId::new(id),
            workspace: WorkspaceId::new(workspace),
            password_hash,
        }))
    }

    pub(crate) async fn insert_token(
        &self,
        digest: &TokenDigest,
        user: &User,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), Error> {
        let mut transaction = self.engine.begin().await?;
        write!(transaction, connection => query(INSERT_TOKEN)
            .bind(digest.as_slice()).bind(user.workspace.get()).bind(user.id.get())
            .bind(now.as_micros()).bind(expires_at.as_micros())
            .execute(connection).await.map(drop))?;
        transaction.commit().await
    }

    pub(crate) async fn session(&self, digest: &TokenDigest) -> Result<Option<Session>, Error> {
        let found: Option<(i64, i64)> = read!(&self.engine, pool =>
            query_as(SESSION).bind(digest.as_slice()).fetch_optional(pool).await)?;
        Ok(found.map(|(workspace, expires_at)| Session {
            workspace: WorkspaceId::new(workspace),
            expires_at: Timestamp::from_micros(expires_at),
        }))
    }

    pub(crate) async fn workspace(&self, id: WorkspaceId) -> Result<Option<Workspace>, Error> {
        let found: Option<(String, String)> = read!(&self.engine, pool =>
            query_as(WORKSPACE).bind(id.get()).fetch_optional(pool).await)?;
        Ok(found.map(|(name, plan)| Workspace { name, plan }))
    }

    /// The ids of all workspaces.
    pub(crate) async fn workspaces(&self) -> Result<Vec<WorkspaceId>, Error> {
        let ids: Vec<i64> = read!(&self.engine, pool => query_scalar(WORKSPACES).fetch_all(pool).await)?;
        Ok(ids.into_iter().map(WorkspaceId::new).collect())
    }

    /// The time that slots are taken and given up by: the same for all processes, whatever their clocks say.
    pub(crate) async fn now(&self, clock: &Clock) -> Result<Timestamp, Error> {
        match &self.engine {
            Engine::Postgres(postgres) => {
                let asked = query_scalar(NOW).fetch_one(&postgres.pool);
                Ok(Timestamp::from_micros(within(postgres.deadline, asked).await?))
            }
            Engine::Sqlite(_) => Ok(clock.now()),
        }
    }

    /// Takes a free slot. Returns whether it was free.
    pub(crate) async fn begin_answer(&self, slot: &Slot, body_digest: &[u8], now: Timestamp) -> Result<bool, Error> {
        let mut transaction = self.engine.begin().await?;
        let taken = write!(transaction, connection => query(BEGIN_ANSWER)
            .bind(slot.workspace.get()).bind(slot.digest.as_slice()).bind(body_digest).bind(now.as_micros())
            .execute(connection).await.map(|done| done.rows_affected()))?;
        transaction.commit().await?;
        Ok(taken == 1)
    }

    pub(crate) async fn answer(&self, slot: &Slot) -> Result<Option<Kept>, Error> {
        type Columns = (Vec<u8>, i64, Option<i64>, Option<Vec<u8>>);
        let found: Option<Columns> = read!(&self.engine, pool =>
            query_as(ANSWER).bind(slot.workspace.get()).bind(slot.digest.as_slice()).fetch_optional(pool).await)?;
        let Some((body_digest, begun_at, status, answer)) = found else { return Ok(None) };
        let answer = match (status, answer) {
            (Some(status), Some(answer)) => Some((status, payload::unpack(&answer)?)),
            _ => None,
        };
        Ok(Some(Kept { body_digest, begun_at: Timestamp::from_micros(begun_at), answer }))
    }

    /// Takes a slot that was taken at `begun_at` and given up since. Returns whether nobody else did so first.
    pub(crate) async fn take_over_answer(
        &self,
        slot: &Slot,
        body_digest: &[u8],
        now: Timestamp,
        begun_at: Timestamp,
    ) -> Result<bool, Error> {
        let mut transaction = self.engine.begin().await?;
        let taken = write!(transaction, connection => query(TAKE_OVER_ANSWER)
            .bind(slot.workspace.get()).bind(slot.digest.as_slice()).bind(body_digest)
            .bind(now.as_micros()).bind(begun_at.as_micros())
            .execute(connection).await.map(|done| done.rows_affected()))?;
        transaction.commit().await?;
        Ok(taken == 1)
    }

    /// Keeps the answer in a slot that was taken at `begun_at`.
    pub(crate) async fn finish_answer(
        &self,
        slot: &Slot,
        begun_at: Timestamp,
        status: u16,
        answer: &[u8],
    ) -> Result<(), Error> {
        let mut transaction = self.engine.begin().await?;
        write!(transaction, connection => query(FINISH_ANSWER)
            .bind(slot.workspace.get()).bind(slot.digest.as_slice()).bind(begun_at.as_micros())
            .bind(i64::from(status)).bind(payload::pack(answer))
            .execute(connection).await.map(drop))?;
        transaction.commit().await
    }

    /// Frees a slot that was taken at `begun_at`.
    pub(crate) async fn drop_answer(&self, slot: &Slot, begun_at: Timestamp) -> Result<(), Error> {
        let mut transaction = self.engine.begin().await?;
        write!(transaction, connection => query(DROP_ANSWER)
            .bind(slot.workspace.get()).bind(slot.digest.as_slice()).bind(begun_at.as_micros())
            .execute(connection).await.map(drop))?;
        transaction.commit().await
    }

    /// Deletes tokens that expired before `now`, and answers begun before `answers_before`.
    pub(crate) async fn sweep(&self, now: Timestamp, answers_before: Timestamp) -> Result<(), Error> {
        let mut transaction = self.engine.begin().await?;
        write!(transaction, connection =>
            query(DELETE_EXPIRED_TOKENS).bind(now.as_micros()).execute(connection).await.map(drop))?;
        write!(transaction, connection =>
            query(DELETE_OLD_ANSWERS).bind(answers_before.as_micros()).execute(connection).await.map(drop))?;
        transaction.commit().await
    }
}
