//! What the tables promise, on the engine that the environment names.

mod again;
mod days;
mod leases;
mod size;

use std::path::Path;

use patchbay_flow::{Phase, Run};
use patchbay_store::{Engine, read};
use patchbay_types::{AutomationId, ConnectionId, IncarnationId, RunId, Timestamp, WorkspaceId};
use tempfile::TempDir;

use super::{Changes, Store, Written};
use crate::{
    rows::{DeadRow, EndRow, Identity, OpenRow, ProgressRow},
    steps,
};

const LEASE: std::time::Duration = std::time::Duration::from_secs(60);
const WORKSPACE: WorkspaceId = WorkspaceId::new(7);

/// A store on tables of its own.
#[derive(Debug)]
struct Desk {
    store: Store,
    folder: TempDir,
}

impl Desk {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(engine(folder.path()).await).await.unwrap();
        Self { store, folder }
    }

    /// Another process on the same tables.
    async fn beside(&self) -> Store {
        Store::open(engine(self.folder.path()).await).await.unwrap()
    }

    async fn begin(&self) -> IncarnationId {
        let owner = IncarnationId::generate();
        self.store.begin_incarnation(owner, LEASE, now()).await.unwrap();
        owner
    }

    async fn write(&self, changes: &Changes<'_>) -> Written {
        self.store.write(changes, now()).await.unwrap()
    }

    async fn open(&self, rows: &[OpenRow]) -> Written {
        self.write(&Changes { opens: rows.iter().collect(), ..Changes::default() }).await
    }

    async fn count(&self, table: &'static str) -> i64 {
        let text = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        read!(&self.store.engine, pool => sqlx::query_scalar(text).fetch_one(pool).await).unwrap()
    }

    fn is_postgres(&self) -> bool {
        !self.store.is_local()
    }
}

async fn engine(folder: &Path) -> Engine {
    patchbay_testing::ground(folder).await.engine
}

fn now() -> Timestamp {
    patchbay_runtime::Clock::system().now()
}

/// A run that begins at once when somebody owns it, and lines up behind connection 5 else.
fn opening(owner: Option<IncarnationId>) -> OpenRow {
    let id = RunId::generate();
    let phase = if owner.is_some() { Phase::Running } else { Phase::Behind };
    OpenRow {
        identity: Identity {
            id,
            workspace: WORKSPACE,
            automation: AutomationId::generate(),
            version: 1,
            event_id: id.to_string(),
            started_at: now(),
            attempt: 1,
        },
        state: Run { phase, attempts: u32::from(owner.is_some()), ..Run::new() },
        owner,
        behind: owner.is_none().then(|| ConnectionId::new(5)),
        reason: None,
        connections: ",5,".to_owned(),
        input: patchbay_store::payload::pack(b"{}"),
        seen: *id.as_bytes(),
        seen_until: now().after(LEASE),
        seen_at: now(),
    }
}

/// It goes on to its second step.
fn progress(row: &OpenRow, epoch: i64, owner: Option<IncarnationId>) -> ProgressRow {
    let waits = owner.is_none();
    ProgressRow {
        id: row.identity.id,
        epoch,
        state: Run { step: 1, phase: if waits { Phase::Behind } else { Phase::Running }, ..Run::new() },
        owner,
        due_at: None,
        behind: waits.then(|| ConnectionId::new(5)),
        reason: waits.then(|| "waits".to_owned()),
        steps: steps::pack(&[]),
    }
}

/// It failed.
fn end(row: &OpenRow, epoch: i64) -> EndRow {
    let at = now();
    EndRow {
        identity: row.identity.clone(),
        epoch,
        status: "failed",
        step: 0,
        in_doubt: false,
        generation: 0,
        finished_at: at,
        error_class: "partner",
        connections: row.connections.clone(),
        input: row.input.clone(),
        steps: steps::pack(&[]),
        dead: Some(letter(Some(row.identity.id), at)),
    }
}

fn letter(run: Option<RunId>, at: Timestamp) -> DeadRow {
    DeadRow {
        workspace: WORKSPACE.get(),
        kind: if run.is_some() { "run" } else { "event" },
        reason: "step_failed".to_owned(),
        error: "no".to_owned(),
        run,
        source: None,
        event_id: "e".to_owned(),
        original: None,
        at,
    }
}
