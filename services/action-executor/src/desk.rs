//! What people do with runs and dead letters, in the executor's process or beside it.

use patchbay_proto::{
    Topic,
    event::v1::TriggerFired,
    executor::v1::{
        DeadLetterDetail, DeadLetterEntry, DeadLetterRequest, ListDeadLettersRequest, ListDeadLettersResponse,
        ListRunsRequest, ListRunsResponse, Run, RunRequest,
    },
};
use patchbay_runtime::Clock;
use patchbay_store::{Engine, payload};
use patchbay_types::{AutomationId, ConnectionId, Fault, RunId, WorkspaceId, fault::Code};
use prost::Message as _;

use crate::{
    error::Error,
    rows::{DeadLetterRow, RunFilter, ViewRow},
    store::{Ended, Store},
    view,
};

/// Runs in one answer.
const MOST: i64 = 1_000;
const USUAL: i64 = 50;
/// Rows that are read at once, and the bytes, unpacked, after which a page ends early: runs carry whole bodies.
const READ_AT_ONCE: i64 = 25;
const LARGEST_PAGE: usize = 8 * 1024 * 1024;
/// Runs that are looked at together for those that a filter leaves, and how often in one answer: where there are millions
/// of others in between, a page ends early, and the next begins where it ended.
const WINDOW: i64 = 10_000;
const WINDOWS: u32 = 20;

/// Reads runs and dead letters, and leaves in their rows what executors are to do. Requests are those of `RunService`;
/// each names its workspace, and what belongs to another is not found.
#[derive(Debug, Clone)]
pub struct Desk {
    store: Store,
    clock: Clock,
}

impl Desk {
    /// Over a database that a running process may use at the same time.
    ///
    /// # Errors
    /// When the tables of runs can't be brought up to date.
    pub async fn open(engine: Engine, clock: Clock) -> Result<Self, Error> {
        Ok(Self::new(Store::open(engine).await?, clock))
    }

    pub(crate) const fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// Runs, newest first. Steps that have not begun are left out, since only an executor knows the versions.
    ///
    /// # Errors
    /// A filter that can't be read, or the database.
    pub async fn list_runs(&self, request: &ListRunsRequest) -> Result<ListRunsResponse, Fault> {
        let (rows, next_before_id) = self.rows(request).await?;
        let runs = rows.into_iter().map(|row| view::run(row, &[])).collect();
        Ok(ListRunsResponse { runs, next_before_id })
    }

    /// One run. Steps that have not begun are left out.
    ///
    /// # Errors
    /// When there is none, or the database.
    pub async fn get_run(&self, request: &RunRequest) -> Result<Run, Fault> {
        self.row(request).await.map(|row| view::run(row, &[]))
    }

    /// Lets a failed, cancelled or doubtful run go on: an executor takes it when it looks next.
    ///
    /// # Errors
    /// When there is none, when it is none of these, or the database.
    pub async fn replay_run(&self, request: &RunRequest) -> Result<Run, Fault> {
        let (workspace, id) = named(request)?;
        if !self.store.replay(workspace, id, self.clock.now()).await.map_err(failed)? {
            let run = self.get_run(request).await?;
            return Err(refused(&run, "replayed", "failed, cancelled or outcome_unknown"));
        }
        self.get_run(request).await
    }

    /// Ends a run that waits or whose outcome is unknown.
    ///
    /// # Errors
    /// When there is none, when somebody works on it, or the database.
    pub async fn cancel_run(&self, request: &RunRequest) -> Result<Run, Fault> {
        self.cancel(request).await?;
        self.get_run(request).await
    }

    /// Dead letters, newest first.
    ///
    /// # Errors
    /// The database.
    pub async fn list_dead_letters(&self, request: &ListDeadLettersRequest) -> Result<ListDeadLettersResponse, Fault> {
        let limit = limit(request.limit);
        let workspace = WorkspaceId::new(request.workspace_id);
        let mut rows = self.store.list_dead_letters(workspace, request.before_id, limit + 1).await.map_err(failed)?;
        let more = has_more(rows.len(), limit);
        if more {
            rows.pop();
        }
        let next_before_id = rows.last().filter(|_| more).map_or(0, |row| row.id);
        let dead_letters = rows.into_iter().map(view::dead_letter).collect();
        Ok(ListDeadLettersResponse { dead_letters, next_before_id })
    }

    /// One dead letter with the message that it is about.
    ///
    /// # Errors
    /// When there is none, or the database.
    pub async fn get_dead_letter(&self, request: &DeadLetterRequest) -> Result<DeadLetterDetail, Fault> {
        let row = self.letter(request).await?;
        let original = bytes::Bytes::from(row.original.unwrap_or_default());
        let payload = TriggerFired::decode(original.clone()).map(|event| event.payload).unwrap_or_default();
        let topic = if original.is_empty() { String::new() } else { Topic::TriggerFired.name().to_owned() };
        Ok(DeadLetterDetail { entry: Some(view::dead_letter(row.view)), original, payload, topic })
    }

    /// Repeats the run that it is about, or has its event brought in again when an executor looks next.
    ///
    /// # Errors
    /// When there is none, when its message can't be read or its run can't go on, or the database.
    pub async fn replay_dead_letter(&self, request: &DeadLetterRequest) -> Result<DeadLetterEntry, Fault> {
        let row = self.letter(request).await?;
        let workspace = WorkspaceId::new(request.workspace_id);
        if let Some(run) = &row.view.run_id {
            let run = RunRequest { workspace_id: workspace.get(), id: run.clone().into() };
            self.replay_run(&run).await?;
            return Ok(view::dead_letter(row.view));
        }
        if readable(&row).is_none() {
            let message = "its message can't be read, so there is no event to bring in; drop the dead letter";
            return Err(Fault::new(Code::FailedPrecondition, message));
        }
        if !self.store.ask_replay(workspace, request.id, self.clock.now()).await.map_err(failed)? {
            return Err(no_letter(request.id));
        }
        Ok(view::dead_letter(row.view))
    }

    /// Forgets a dead letter. A run that it is about stays in the history.
    ///
    /// # Errors
    /// When there is none, or the database.
    pub async fn drop_dead_letter(&self, request: &DeadLetterRequest) -> Result<(), Fault> {
        let workspace = WorkspaceId::new(request.workspace_id);
        match self.store.drop_dead_letter(workspace, request.id).await.map_err(failed)? {
            true => Ok(()),
            false => Err(no_letter(request.id)),
        }
    }

    /// A page of runs as rows, and the id that the next page begins before. A page of large runs is shorter than asked.
    pub(crate) async fn rows(&self, request: &ListRunsRequest) -> Result<(Vec<ViewRow>, bytes::Bytes), Fault> {
        let limit = limit(request.limit);
        let mut filter = RunFilter {
            before: optional(&request.before_id, RunId::from_slice)?,
            edge: None,
            automation: optional(&request.automation_id, AutomationId::from_slice)?,
            status: Some(request.status.clone()).filter(|status| !status.is_empty()),
            connection: (request.connection_id != 0).then(|| ConnectionId::new(request.connection_id)),
            event_id: Some(request.event_id.clone()).filter(|id| !id.is_empty()),
            limit: 0,
        };
        let workspace = WorkspaceId::new(request.workspace_id);
        let (mut page, mut bytes): (Vec<ViewRow>, usize) = (Vec::new(), 0);
        let mut windows = 0;
        loop {
            if filter.is_rare() && filter.edge.is_none() {
                filter.edge = self.store.list_edge(workspace, filter.before, WINDOW).await.map_err(failed)?;
                windows += 1;
            }
            let missing = limit + 1 - i64::try_from(page.len()).unwrap_or(limit);
            filter.limit = missing.min(READ_AT_ONCE);
            let rows = self.store.list_runs(workspace, &filter).await.map_err(failed)?;
            let is_last = has_fewer(rows.len(), filter.limit);
            for row in rows {
                let is_full = has_more(page.len() + 1, limit) || (bytes > LARGEST_PAGE && !page.is_empty());
                if is_full {
                    let next = page.last().map(|row| row.id.clone()).unwrap_or_default();
                    return Ok((page, next.into()));
                }
                bytes += payload::unpacked_bytes(&row.input) + payload::unpacked_bytes(&row.steps);
                filter.before = RunId::from_slice(&row.id).ok();
                page.push(row);
            }
            match filter.edge {
                _ if !is_last => {}
                None => return Ok((page, bytes::Bytes::new())),
                Some(edge) if windows == WINDOWS => return Ok((page, edge.as_bytes().to_vec().into())),
                Some(edge) => (filter.before, filter.edge) = (Some(edge), None),
            }
        }
    }

    pub(crate) async fn row(&self, request: &RunRequest) -> Result<ViewRow, Fault> {
        let (workspace, id) = named(request)?;
        let row = self.store.show_run(workspace, id).await.map_err(failed)?;
        row.ok_or_else(|| Fault::not_found(format!("run {id}")))
    }

    /// Ends a run, and returns who is to be told.
    pub(crate) async fn cancel(&self, request: &RunRequest) -> Result<Ended, Fault> {
        let (workspace, id) = named(request)?;
        if let Some(ended) = self.store.cancel(workspace, id, self.clock.now()).await.map_err(failed)? {
            return Ok(ended);
        }
        let run = self.get_run(request).await?;
        Err(refused(&run, "cancelled", "waiting or outcome_unknown"))
    }

    async fn letter(&self, request: &DeadLetterRequest) -> Result<DeadLetterRow, Fault> {
        let workspace = WorkspaceId::new(request.workspace_id);
        let row = self.store.dead_letter(workspace, request.id).await.map_err(failed)?;
        row.ok_or_else(|| no_letter(request.id))
    }
}

/// The event of a dead letter.
pub(crate) fn readable(row: &DeadLetterRow) -> Option<TriggerFired> {
    let event = TriggerFired::decode(row.original.as_deref()?).ok()?;
    (!event.source_id.is_empty() && !event.event_id.is_empty()).then_some(event)
}

fn limit(asked: i64) -> i64 {
    if asked <= 0 { USUAL } else { asked.min(MOST) }
}

fn has_more(rows: usize, limit: i64) -> bool {
    rows > usize::try_from(limit).unwrap_or(usize::MAX)
}

fn has_fewer(rows: usize, limit: i64) -> bool {
    i64::try_from(rows).unwrap_or(i64::MAX) < limit
}

fn named(request: &RunRequest) -> Result<(WorkspaceId, RunId), Fault> {
    let id = RunId::from_slice(&request.id).map_err(|error| Fault::invalid(error.to_string()))?;
    Ok((WorkspaceId::new(request.workspace_id), id))
}

fn optional<T, E: std::error::Error>(bytes: &[u8], read: fn(&[u8]) -> Result<T, E>) -> Result<Option<T>, Fault> {
    if bytes.is_empty() {
        return Ok(None);
    }
    read(bytes).map(Some).map_err(|error| Fault::invalid(error.to_string()))
}

fn no_letter(id: i64) -> Fault {
    Fault::not_found(format!("dead letter {id}"))
}

#[expect(clippy::needless_pass_by_value, reason = "it ends a chain of results")]
fn failed(error: patchbay_store::Error) -> Fault {
    tracing::error!(error = %error.chain(), "runs can't be read or changed");
    error.fault()
}

fn refused(run: &Run, verb: &str, expected: &str) -> Fault {
    let message = format!("run is {} and can't be {verb}; expected {expected}", run.status);
    Fault::new(Code::FailedPrecondition, message)
}
