//! Messages to questions about runs, and back.

use std::sync::Arc;

use patchbay_proto::executor::v1::{
    DeadLetterDetail, DeadLetterEntry, DeadLetterRequest, DropDeadLetterResponse, ListDeadLettersRequest,
    ListDeadLettersResponse, ListRunsRequest, ListRunsResponse, Run, RunRequest, run_service_server::RunService,
};
use patchbay_service::status::from_fault;
use patchbay_types::AutomationId;
use tonic::{Request, Response, Status};

use crate::{desk::Desk, executor::Executor, plan::CompiledStep, rows::ViewRow, tell::Teller, view};

/// The service of runs.
#[derive(Debug)]
pub(crate) struct RunGrpc {
    desk: Desk,
    executor: Arc<Executor>,
    teller: Teller,
}

type Answer<T> = Result<Response<T>, Status>;

impl RunGrpc {
    pub(crate) fn new(executor: Arc<Executor>, teller: Teller) -> Self {
        Self { desk: Desk::new(executor.store.clone(), executor.clock.clone()), executor, teller }
    }

    async fn show(&self, row: ViewRow) -> Run {
        let keys = match AutomationId::from_slice(&row.automation_id) {
            Ok(id) => match self.executor.definitions.version(id, row.version).await {
                Ok(Ok(automation)) => {
                    let key = |step: &CompiledStep| (step.key.clone(), step.operation.name().to_owned());
                    automation.steps.iter().map(key).collect()
                }
                _ => Vec::new(),
            },
            Err(_) => Vec::new(),
        };
        view::run(row, &keys)
    }

    async fn one(&self, request: &RunRequest) -> Answer<Run> {
        let row = self.desk.row(request).await.map_err(|fault| from_fault(&fault))?;
        Ok(Response::new(self.show(row).await))
    }

    /// Rows have changed that this process may take.
    fn wake(&self) {
        self.executor.gates.signals().line.notify_one();
    }
}

#[tonic::async_trait]
impl RunService for RunGrpc {
    async fn list_runs(&self, request: Request<ListRunsRequest>) -> Answer<ListRunsResponse> {
        let page = self.desk.rows(request.get_ref()).await;
        let (rows, next_before_id) = page.map_err(|fault| from_fault(&fault))?;
        let mut runs = Vec::with_capacity(rows.len());
        for row in rows {
            runs.push(self.show(row).await);
        }
        Ok(Response::new(ListRunsResponse { runs, next_before_id }))
    }

    async fn get_run(&self, request: Request<RunRequest>) -> Answer<Run> {
        self.one(request.get_ref()).await
    }

    async fn replay_run(&self, request: Request<RunRequest>) -> Answer<Run> {
        self.desk.replay_run(request.get_ref()).await.map_err(|fault| from_fault(&fault))?;
        self.wake();
        self.one(request.get_ref()).await
    }

    async fn cancel_run(&self, request: Request<RunRequest>) -> Answer<Run> {
        let (batch, runs) = self.desk.cancel(request.get_ref()).await.map_err(|fault| from_fault(&fault))?;
        self.teller.tell(batch, runs);
        self.one(request.get_ref()).await
    }

    async fn list_dead_letters(&self, request: Request<ListDeadLettersRequest>) -> Answer<ListDeadLettersResponse> {
        answer(self.desk.list_dead_letters(request.get_ref()).await)
    }

    async fn get_dead_letter(&self, request: Request<DeadLetterRequest>) -> Answer<DeadLetterDetail> {
        answer(self.desk.get_dead_letter(request.get_ref()).await)
    }

    async fn replay_dead_letter(&self, request: Request<DeadLetterRequest>) -> Answer<DeadLetterEntry> {
        let replayed = self.desk.replay_dead_letter(request.get_ref()).await;
        self.wake();
        answer(replayed)
    }

    async fn drop_dead_letter(&self, request: Request<DeadLetterRequest>) -> Answer<DropDeadLetterResponse> {
        answer(self.desk.drop_dead_letter(request.get_ref()).await.map(|()| DropDeadLetterResponse {}))
    }
}

fn answer<T>(outcome: Result<T, patchbay_types::Fault>) -> Answer<T> {
    outcome.map(Response::new).map_err(|fault| from_fault(&fault))
}
