//! Messages to questions about runs, and back.

use std::sync::Arc;

use patchbay_proto::executor::v1::{
    ListDeadLettersRequest, ListDeadLettersResponse, ListRunsRequest, ListRunsResponse, Run, RunRequest,
    run_service_server::RunService,
};
use patchbay_service::status;
use patchbay_types::{AutomationId, ConnectionId, Fault, RunId, WorkspaceId, fault::Code};
use tonic::{Request, Response, Status};

use crate::{
    executor::Executor,
    rows::{RunFilter, ViewRow},
    tell::Teller,
    view,
};

/// Runs in one answer.
const MOST: i64 = 1_000;
const USUAL: i64 = 50;

/// The service of runs.
#[derive(Debug)]
pub(crate) struct RunGrpc {
    executor: Arc<Executor>,
    teller: Teller,
}

impl RunGrpc {
    pub(crate) const fn new(executor: Arc<Executor>, teller: Teller) -> Self {
        Self { executor, teller }
    }

    async fn show(&self, row: ViewRow) -> Run {
        let keys = match AutomationId::from_slice(&row.automation_id) {
            Ok(id) => match self.executor.definitions.version(id, row.version).await {
                Ok(Ok(automation)) => {
                    let key = |step: &crate::plan::CompiledStep| (step.key.clone(), step.operation.name().to_owned());
                    automation.steps.iter().map(key).collect()
                }
                _ => Vec::new(),
            },
            Err(_) => Vec::new(),
        };
        view::run(row, &keys)
    }

    async fn one(&self, workspace: WorkspaceId, id: RunId) -> Result<Run, Status> {
        let row = self.executor.store.show_run(workspace, id).await.map_err(|error| failed(&error))?;
        let row = row.ok_or_else(|| status::from_fault(&Fault::not_found(format!("run {id}"))))?;
        Ok(self.show(row).await)
    }
}

#[tonic::async_trait]
impl RunService for RunGrpc {
    async fn list_runs(&self, request: Request<ListRunsRequest>) -> Result<Response<ListRunsResponse>, Status> {
        let request = request.into_inner();
        let limit = limit(request.limit);
        let filter = RunFilter {
            before: optional(&request.before_id, RunId::from_slice)?,
            automation: optional(&request.automation_id, AutomationId::from_slice)?,
            status: Some(request.status).filter(|status| !status.is_empty()),
            connection: (request.connection_id != 0).then(|| ConnectionId::new(request.connection_id)),
            event_id: Some(request.event_id).filter(|id| !id.is_empty()),
            limit: limit + 1,
        };
        let workspace = WorkspaceId::new(request.workspace_id);
        let mut rows = self.executor.store.list_runs(workspace, &filter).await.map_err(|error| failed(&error))?;
        let more = rows.len() > usize::try_from(limit).unwrap_or(usize::MAX);
        if more {
            rows.pop();
        }
        let next_before_id = rows.last().filter(|_| more).map(|row| row.id.clone()).unwrap_or_default().into();
        let mut runs = Vec::with_capacity(rows.len());
        for row in rows {
            runs.push(self.show(row).await);
        }
        Ok(Response::new(ListRunsResponse { runs, next_before_id }))
    }

    async fn get_run(&self, request: Request<RunRequest>) -> Result<Response<Run>, Status> {
        let (workspace, id) = named(&request.into_inner())?;
        Ok(Response::new(self.one(workspace, id).await?))
    }

    async fn replay_run(&self, request: Request<RunRequest>) -> Result<Response<Run>, Status> {
        let (workspace, id) = named(&request.into_inner())?;
        let replayed = self.executor.store.replay(workspace, id, self.executor.now()).await;
        if !replayed.map_err(|error| failed(&error))? {
            let run = self.one(workspace, id).await?;
            return Err(refused(&run, "replayed", "failed, cancelled or outcome_unknown"));
        }
        self.executor.gates.signals().line.notify_one();
        Ok(Response::new(self.one(workspace, id).await?))
    }

    async fn cancel_run(&self, request: Request<RunRequest>) -> Result<Response<Run>, Status> {
        let (workspace, id) = named(&request.into_inner())?;
        let cancelled = self.executor.store.cancel(workspace, id, self.executor.now()).await;
        match cancelled.map_err(|error| failed(&error))? {
            Some((batch, runs)) => self.teller.tell(batch, runs),
            None => {
                let run = self.one(workspace, id).await?;
                return Err(refused(&run, "cancelled", "waiting or outcome_unknown"));
            }
        }
        Ok(Response::new(self.one(workspace, id).await?))
    }

    async fn list_dead_letters(
        &self,
        request: Request<ListDeadLettersRequest>,
    ) -> Result<Response<ListDeadLettersResponse>, Status> {
        let request = request.into_inner();
        let limit = limit(request.limit);
        let workspace = WorkspaceId::new(request.workspace_id);
        let rows = self.executor.store.list_dead_letters(workspace, request.before_id, limit + 1).await;
        let mut rows = rows.map_err(|error| failed(&error))?;
        let more = rows.len() > usize::try_from(limit).unwrap_or(usize::MAX);
        if more {
            rows.pop();
        }
        let next_before_id = rows.last().filter(|_| more).map_or(0, |row| row.id);
        let dead_letters = rows.into_iter().map(view::dead_letter).collect();
        Ok(Response::new(ListDeadLettersResponse { dead_letters, next_before_id }))
    }
}

fn limit(asked: i64) -> i64 {
    if asked <= 0 { USUAL } else { asked.min(MOST) }
}

fn named(request: &RunRequest) -> Result<(WorkspaceId, RunId), Status> {
    let id = RunId::from_slice(&request.id).map_err(|error| invalid(&error))?;
    Ok((WorkspaceId::new(request.workspace_id), id))
}

fn optional<T, E: std::error::Error>(bytes: &[u8], read: fn(&[u8]) -> Result<T, E>) -> Result<Option<T>, Status> {
    if bytes.is_empty() {
        return Ok(None);
    }
    read(bytes).map(Some).map_err(|error| invalid(&error))
}

fn invalid(error: &dyn std::error::Error) -> Status {
    status::from_fault(&Fault::invalid(error.to_string()))
}

fn failed(error: &patchbay_store::Error) -> Status {
    tracing::error!(error = %error.chain(), "runs can't be read or changed");
    status::from_fault(&error.fault())
}

fn refused(run: &Run, verb: &str, expected: &str) -> Status {
    let message = format!("run is {} and can't be {verb}; expected {expected}", run.status);
    status::from_fault(&Fault::new(Code::FailedPrecondition, message))
}
