//! The tables of this service.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use bytes::Bytes;
use patchbay_store::{Engine, Error, Migration, Transaction, payload, read, write};
use patchbay_types::{AutomationId, ConnectionId, SourceId, Timestamp, WorkspaceId};

use crate::{
    domain::{Automation, Changes, Published, Source},
    rows,
};

const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "automations",
        sqlite: include_str!("../migrations/sqlite/0001_automations.sql"),
        postgres: include_str!("../migrations/postgres/0001_automations.sql"),
    },
    Migration {
        number: 2,
        name: "partner_sources",
        sqlite: include_str!("../migrations/sqlite/0002_partner_sources.sql"),
        postgres: include_str!("../migrations/postgres/0002_partner_sources.sql"),
    },
];

const TAKE_TURN: &str = include_str!("../queries/take_turn.sql");
const RAISE_REVISION: &str = include_str!("../queries/raise_revision.sql");
const CURRENT_REVISION: &str = include_str!("../queries/current_revision.sql");
const INSERT_AUTOMATION: &str = include_str!("../queries/insert_automation.sql");
const AUTOMATION: &str = include_str!("../queries/automation.sql");
const LIST_AUTOMATIONS: &str = include_str!("../queries/list_automations.sql");
const UPDATE_DRAFT: &str = include_str!("../queries/update_draft.sql");
const UPDATE_STATUS: &str = include_str!("../queries/update_status.sql");
const DELETE_AUTOMATION: &str = include_str!("../queries/delete_automation.sql");
const INSERT_VERSION: &str = include_str!("../queries/insert_version.sql");
const VERSION: &str = include_str!("../queries/version.sql");
const SOURCE: &str = include_str!("../queries/source.sql");
const SAVE_SOURCE: &str = include_str!("../queries/save_source.sql");
const DELETE_UNUSED_SOURCES: &str = include_str!("../queries/delete_unused_sources.sql");
const SOURCES_SINCE: &str = include_str!("../queries/sources_since.sql");
const AUTOMATIONS_SINCE: &str = include_str!("../queries/automations_since.sql");

/// After every id.
const LAST_ID: [u8; 16] = [0xFF; 16];
/// At most so many automations in one answer to those who follow.
const PAGE: usize = 200;
/// Such an answer ends when its documents have this many bytes, far below what a message may have.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// Brings the tables of this service up to date.
///
/// # Errors
/// When a step fails (then nothing changed), the tables are newer than this version, or older and only looked at.
pub async fn migrate(engine: &Engine) -> Result<(), Error> {
    engine.migrate("automation", MIGRATIONS).await
}

/// Automations, versions and sources of all workspaces.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    engine: Engine,
    /// Where the database belongs to this process alone: no revision above this one is committed.
    highest: Option<Arc<AtomicI64>>,
}

impl Store {
    /// Brings the tables up to date.
    pub(crate) async fn open(engine: Engine) -> Result<Self, Error> {
        migrate(&engine).await?;
        let mut store = Self { engine, highest: None };
        if store.engine.is_local() {
            store.highest = Some(Arc::new(AtomicI64::new(store.revision().await?)));
        }
        Ok(store)
    }

    /// Begins a change of one or more rows.
    pub(crate) async fn change(&self) -> Result<Change, Error> {
        let transaction = self.engine.begin().await?;
        Ok(Change { transaction, raised: None, highest: self.highest.clone() })
    }

    pub(crate) async fn automation(
        &self,
        workspace: WorkspaceId,
        id: AutomationId,
    ) -> Result<Option<Automation>, Error> {
        let row = read!(&self.engine, pool => sqlx::query_as::<_, rows::AutomationRow>(AUTOMATION)
            .bind(workspace.get()).bind(&id.as_bytes()[..]).fetch_optional(pool).await)?;
        row.map(rows::automation).transpose()
    }

    /// At most `limit`, newest first, of those made before `before`.
    pub(crate) async fn automations(
        &self,
        workspace: WorkspaceId,
        before: Option<AutomationId>,
        limit: i64,
    ) -> Result<Vec<Automation>, Error> {
        let before = before.map_or(LAST_ID, |id| *id.as_bytes());
        let found = read!(&self.engine, pool => sqlx::query_as::<_, rows::AutomationRow>(LIST_AUTOMATIONS)
            .bind(workspace.get()).bind(&before[..]).bind(limit).fetch_all(pool).await)?;
        found.into_iter().map(rows::automation).collect()
    }

    /// The document of one version.
    pub(crate) async fn version(&self, automation: AutomationId, version: i64) -> Result<Option<Bytes>, Error> {
        let row = read!(&self.engine, pool => sqlx::query_scalar::<_, Vec<u8>>(VERSION)
            .bind(&automation.as_bytes()[..]).bind(version).fetch_optional(pool).await)?;
        row.map(|document| payload::unpack(&document).map(Bytes::from)).transpose()
    }

    /// What was changed after `revision`, the oldest change first. There may be more: who gets any asks again from the
    /// revision of the answer. A revision from the future, as after a restored backup, gives everything there is.
    pub(crate) async fn changes_since(&self, revision: i64) -> Result<Changes, Error> {
        let unchanged = Changes { revision, sources: Vec::new(), automations: Vec::new() };
        if self.highest.as_ref().is_some_and(|highest| highest.load(Ordering::Acquire) == revision) {
            return Ok(unchanged);
        }
        // Read first: what is committed while the rows are read may be given twice, but is never left out.
        let current = self.revision().await?;
        if current == revision {
            return Ok(unchanged);
        }
        let since = if revision > current { 0 } else { revision };
        // Automations before sources: whose source is new is given together with it.
        let (automations, last) = self.automations_since(since).await?;
        // An answer without automations is the last one, so that who follows only them may stop there.
        let upto = last.unwrap_or(i64::MAX);
        let sources = read!(&self.engine, pool => sqlx::query_as::<_, rows::SourceRow>(SOURCES_SINCE)
            .bind(since).bind(upto).fetch_all(pool).await)?;
        Ok(Changes {
            revision: last.unwrap_or(current),
            sources: sources.into_iter().map(rows::source).collect::<Result<_, _>>()?,
            automations,
        })
    }

    /// The next automations, and the revision of the last of them where there are more. Each has a revision of its own.
    async fn automations_since(&self, since: i64) -> Result<(Vec<Published>, Option<i64>), Error> {
        let limit = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
        let found = read!(&self.engine, pool => sqlx::query_as::<_, rows::PublishedRow>(AUTOMATIONS_SINCE)
            .bind(since).bind(limit).fetch_all(pool).await)?;
        let count = found.len();
        let (mut bytes, mut automations) = (0, Vec::with_capacity(count));
        for row in found.into_iter().take(PAGE) {
            if bytes >= PAGE_BYTES {
                break;
            }
            let automation = rows::published(row)?;
            bytes += automation.document.len();
            automations.push(automation);
        }
        let has_more = automations.len() < count;
        let last = automations.last().filter(|_| has_more).map(|automation| automation.revision);
        Ok((automations, last))
    }

    async fn revision(&self) -> Result<i64, Error> {
        let revision = read!(&self.engine, pool => sqlx::query_scalar::<_, i64>(CURRENT_REVISION)
            .fetch_one(pool).await)?;
        Ok(revision)
    }
}

/// One transaction. Dropping it takes everything back.
#[derive(Debug)]
pub(crate) struct Change {
    transaction: Transaction,
    raised: Option<i64>,
    highest: Option<Arc<AtomicI64>>,
}

impl Change {
    /// The revision of this change. Its row stays locked until the commit, so revisions become visible in their order,
    /// and what is read after this does not change before the commit. To be called before any row is written.
    pub(crate) async fn raise(&mut self) -> Result<i64, Error> {
        if let Some(revision) = self.raised {
            return Ok(revision);
        }
        let revision = write!(self.transaction, connection => sqlx::query_scalar::<_, i64>(RAISE_REVISION)
            .fetch_one(connection).await)?;
        self.raised = Some(revision);
        Ok(revision)
    }

    /// Lets others wait for the end of this change, as [`Self::raise`] does, for one that nobody else must see: what is
    /// read after this does not change before the commit. To be called before any row is read.
    pub(crate) async fn take_turn(&mut self) -> Result<(), Error> {
        write!(self.transaction, connection => sqlx::query(TAKE_TURN).execute(connection).await.map(drop))?;
        Ok(())
    }

    pub(crate) async fn automation(
        &mut self,
        workspace: WorkspaceId,
        id: AutomationId,
    ) -> Result<Option<Automation>, Error> {
        let row = write!(self.transaction, connection => sqlx::query_as::<_, rows::AutomationRow>(AUTOMATION)
            .bind(workspace.get()).bind(&id.as_bytes()[..]).fetch_optional(connection).await)?;
        row.map(rows::automation).transpose()
    }

    pub(crate) async fn insert_automation(&mut self, automation: &Automation, revision: i64) -> Result<(), Error> {
        write!(self.transaction, connection => sqlx::query(INSERT_AUTOMATION)
            .bind(automation.workspace.get())
            .bind(&automation.id.as_bytes()[..])
            .bind(automation.status.as_str())
            .bind(automation.version)
            .bind(payload::pack(&automation.document))
            .bind(automation.edits)
            .bind(&automation.source.as_bytes()[..])
            .bind(automation.created_at.as_micros())
            .bind(automation.updated_at.as_micros())
            .bind(revision)
            .execute(connection).await.map(drop))?;
        Ok(())
    }

    /// Saves document and source of the draft.
    pub(crate) async fn update_draft(&mut self, automation: &Automation) -> Result<(), Error> {
        write!(self.transaction, connection => sqlx::query(UPDATE_DRAFT)
            .bind(automation.workspace.get())
            .bind(&automation.id.as_bytes()[..])
            .bind(payload::pack(&automation.document))
            .bind(&automation.source.as_bytes()[..])
            .bind(automation.updated_at.as_micros())
            .execute(connection).await.map(drop))?;
        Ok(())
    }

    /// Saves status and published version.
    pub(crate) async fn update_status(&mut self, automation: &Automation, revision: i64) -> Result<(), Error> {
        write!(self.transaction, connection => sqlx::query(UPDATE_STATUS)
            .bind(automation.workspace.get())
            .bind(&automation.id.as_bytes()[..])
            .bind(automation.status.as_str())
            .bind(automation.version)
            .bind(automation.updated_at.as_micros())
            .bind(revision)
            .execute(connection).await.map(drop))?;
        Ok(())
    }

    /// Adds the draft as the version that the automation now has.
    pub(crate) async fn insert_version(&mut self, automation: &Automation) -> Result<(), Error> {
        write!(self.transaction, connection => sqlx::query(INSERT_VERSION)
            .bind(&automation.id.as_bytes()[..])
            .bind(automation.version)
            .bind(automation.workspace.get())
            .bind(&automation.source.as_bytes()[..])
            .bind(payload::pack(&automation.document))
            .bind(automation.updated_at.as_micros())
            .execute(connection).await.map(drop))?;
        Ok(())
    }

    /// Marks an automation deleted, and the sources that nobody else has.
    pub(crate) async fn delete_automation(
        &mut self,
        workspace: WorkspaceId,
        id: AutomationId,
        now: Timestamp,
        revision: i64,
    ) -> Result<(), Error> {
        write!(self.transaction, connection => sqlx::query(DELETE_AUTOMATION)
            .bind(workspace.get()).bind(&id.as_bytes()[..]).bind(now.as_micros()).bind(revision)
            .execute(connection).await.map(drop))?;
        write!(self.transaction, connection => sqlx::query(DELETE_UNUSED_SOURCES)
            .bind(workspace.get()).bind(&id.as_bytes()[..]).bind(revision)
            .execute(connection).await.map(drop))?;
        Ok(())
    }

    pub(crate) async fn source(&mut self, workspace: WorkspaceId, id: SourceId) -> Result<Option<Source>, Error> {
        let row = write!(self.transaction, connection => sqlx::query_as::<_, rows::SourceRow>(SOURCE)
            .bind(workspace.get()).bind(&id.as_bytes()[..]).fetch_optional(connection).await)?;
        row.map(rows::source).transpose()
    }

    /// Adds a source, or saves all but the owner of one that is there.
    pub(crate) async fn save_source(&mut self, source: &Source) -> Result<(), Error> {
        write!(self.transaction, connection => sqlx::query(SAVE_SOURCE)
            .bind(source.workspace.get())
            .bind(&source.id.as_bytes()[..])
            .bind(&source.owner.as_bytes()[..])
            .bind(source.operation.as_str())
            .bind(source.connection.map_or(0, ConnectionId::get))
            .bind(source.mode.as_str())
            .bind(payload::pack(&source.parameters))
            .bind(source.revision)
            .execute(connection).await.map(drop))?;
        Ok(())
    }

    /// Makes the change durable, and seen by those who ask for changes.
    pub(crate) async fn commit(self) -> Result<(), Error> {
        // Before the commit, so that no abandoned call can leave a committed revision unseen. One too high costs queries.
        if let (Some(highest), Some(revision)) = (&self.highest, self.raised) {
            highest.fetch_max(revision, Ordering::AcqRel);
        }
        self.transaction.commit().await
    }
}

#[cfg(test)]
mod tests {
    use patchbay_store::write;

    use super::*;

    #[tokio::test]
    async fn a_source_of_an_older_version_is_one_of_a_plain_webhook() {
        let folder = tempfile::tempdir().unwrap();
        let engine = patchbay_testing::ground(folder.path()).await.engine;
        engine.migrate("automation", &MIGRATIONS[..1]).await.unwrap();
        let (id, parameters) = (SourceId::generate(), payload::pack(b"{}"));
        let insert = "INSERT INTO automation_sources (workspace_id, id, automation_id, operation, parameters, deleted, \
            revision) VALUES (1, $1, $1, 'webhook.received', $2, 0, 1)";
        let mut transaction = engine.begin().await.unwrap();
        write!(transaction, connection => sqlx::query(insert).bind(&id.as_bytes()[..]).bind(&parameters)
            .execute(connection).await.map(drop))
        .unwrap();
        write!(transaction, connection => sqlx::query_scalar::<_, i64>(RAISE_REVISION).fetch_one(connection).await)
            .unwrap();
        transaction.commit().await.unwrap();
        let source = Store::open(engine).await.unwrap().changes_since(0).await.unwrap().sources.remove(0);
        assert_eq!((source.id, source.connection, source.mode.as_str()), (id, None, "webhook"));
    }
}
