//! The three services that the gateway asks. They note what they are asked.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use patchbay_gateway::Peers;
use patchbay_proto::{
    Route,
    automation::v1::{
        Automation, AutomationRequest, CreateAutomationRequest, DeleteAutomationResponse, ListAutomationsRequest,
        ListAutomationsResponse, UpdateAutomationRequest,
        automation_service_server::{AutomationService, AutomationServiceServer},
    },
    connection::v1::{
        Connection, CreateConnectionRequest, DeleteConnectionRequest, DeleteConnectionResponse, GetConnectionRequest,
        ListConnectionsRequest, ListConnectionsResponse, UpdateConnectionRequest,
        connection_service_server::{ConnectionService, ConnectionServiceServer},
    },
    executor::v1::{
        DeadLetterDetail, DeadLetterEntry, DeadLetterRequest, DropDeadLetterResponse, ListDeadLettersRequest,
        ListDeadLettersResponse, ListRunsRequest, ListRunsResponse, Run, RunRequest, Step, StepError, Waiting,
        run_service_server::{RunService, RunServiceServer},
    },
};
use patchbay_service::status;
use patchbay_types::Fault;
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status, service::Routes};

pub(crate) const AUTOMATION: [u8; 16] = [1; 16];
pub(crate) const SOURCE: [u8; 16] = [2; 16];
pub(crate) const RUN: [u8; 16] = [3; 16];

const MANY: usize = 1000;

/// What was asked, as the peer saw it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Asked {
    CreateAutomation(CreateAutomationRequest),
    UpdateAutomation(UpdateAutomationRequest),
    Automation(&'static str, AutomationRequest),
    ListAutomations(ListAutomationsRequest),
    CreateConnection(Given),
    UpdateConnection(Given),
    GetConnection(GetConnectionRequest),
    ListConnections(ListConnectionsRequest),
    DeleteConnection(DeleteConnectionRequest),
    ListRuns(ListRunsRequest),
    Run(&'static str, RunRequest),
    ListDeadLetters(ListDeadLettersRequest),
    DeadLetter(&'static str, DeadLetterRequest),
}

/// What was given of a connection. The messages themselves hold secrets and can't be printed.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Given {
    pub(crate) workspace_id: i64,
    /// Of a connection that is there.
    pub(crate) id: Option<i64>,
    pub(crate) partner: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) fields: Bytes,
    pub(crate) concurrency: Option<i64>,
}

/// Cloning shares what they note and how they answer.
#[derive(Debug, Clone)]
pub(crate) struct Fakes {
    asked: Arc<Mutex<Vec<Asked>>>,
    fault: Arc<Mutex<Option<Fault>>>,
    /// The draft that `Get` answers.
    draft: Arc<Mutex<Bytes>>,
    /// Creations of connections that may go on, and those that wait for it.
    turns: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

type Answer<T> = Result<Response<T>, Status>;

impl Fakes {
    pub(crate) fn new() -> Self {
        Self {
            asked: Arc::default(),
            fault: Arc::default(),
            draft: Arc::new(Mutex::new(Bytes::from_static(b"{}"))),
            turns: Arc::new(Semaphore::new(MANY)),
            waiting: Arc::new(Semaphore::new(0)),
        }
    }

    pub(crate) fn routes(&self) -> Peers {
        Peers {
            connection: Route::local(Routes::new(ConnectionServiceServer::new(self.clone()))),
            automation: Route::local(Routes::new(AutomationServiceServer::new(self.clone()))),
            executor: Route::local(Routes::new(RunServiceServer::new(self.clone()))),
        }
    }

    /// What was asked since the last call.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    pub(crate) fn fail(&self, fault: Option<Fault>) {
        *self.fault.lock().unwrap() = fault;
    }

    /// Holds creations of connections back.
    pub(crate) fn hold(&self) {
        self.turns.forget_permits(MANY);
    }

    /// Returns when a creation is held back.
    pub(crate) async fn held(&self) {
        self.waiting.acquire().await.unwrap().forget();
    }

    pub(crate) fn let_go(&self) {
        self.turns.add_permits(MANY);
    }

    pub(crate) fn set_draft(&self, draft: &'static str) {
        *self.draft.lock().unwrap() = Bytes::from_static(draft.as_bytes());
    }

    fn answer<T>(&self, asked: Asked, answer: T) -> Answer<T> {
        self.asked.lock().unwrap().push(asked);
        match self.fault.lock().unwrap().as_ref() {
            Some(fault) => Err(status::from_fault(fault)),
            None => Ok(Response::new(answer)),
        }
    }

    fn automation(&self, definition: Bytes) -> Automation {
        Automation {
            id: Bytes::from_static(&AUTOMATION),
            workspace_id: 1,
            status: "draft".to_owned(),
            version: 4,
            definition,
            source_id: Bytes::from_static(&SOURCE),
            hook_token: "t0ken".to_owned(),
            created_at: 0,
            updated_at: 1,
        }
    }

    fn named(&self, method: &'static str, request: Request<AutomationRequest>) -> Answer<Automation> {
        let draft = self.draft.lock().unwrap().clone();
        self.answer(Asked::Automation(method, request.into_inner()), self.automation(draft))
    }

    fn run(&self, method: &'static str, request: Request<RunRequest>) -> Answer<Run> {
        self.answer(Asked::Run(method, request.into_inner()), run())
    }
}

fn connection(title: &str, concurrency: Option<i64>) -> Connection {
    Connection {
        id: 5,
        workspace_id: 1,
        partner: "altcraft".to_owned(),
        title: title.to_owned(),
        status: "active".to_owned(),
        fields: Bytes::from_static(br#"{"host":"h","token":"***"}"#),
        created_at: 0,
        updated_at: 1,
        concurrency,
    }
}

fn run() -> Run {
    let failed = Step {
        key: "launch".to_owned(),
        operation: "altcraft.import".to_owned(),
        status: "failed".to_owned(),
        attempts: 2,
        input: Bytes::from_static(br#"{"n": 1.00, "big": 12345678901234567890123}"#),
        output: Bytes::new(),
        error: Some(StepError { class: "partner".to_owned(), message: "no".to_owned(), partner_status: Some(502) }),
    };
    let damaged = Step { key: "next".to_owned(), output: Bytes::from_static(b"{broken"), ..Step::default() };
    Run {
        id: Bytes::from_static(&RUN),
        workspace_id: 1,
        automation_id: Bytes::from_static(&AUTOMATION),
        version: 4,
        event_id: "evt".to_owned(),
        status: "waiting".to_owned(),
        started_at: 0,
        finished_at: 0,
        attempt: 1,
        steps: vec![failed, damaged],
        waiting: Some(Waiting { r#for: "retry".to_owned(), until: 1, connection_id: 0, reason: "busy".to_owned() }),
        trigger: Bytes::from_static(br#"{"email":"a@b.c"}"#),
    }
}

#[tonic::async_trait]
impl AutomationService for Fakes {
    async fn create(&self, request: Request<CreateAutomationRequest>) -> Answer<Automation> {
        let request = request.into_inner();
        let automation = self.automation(request.definition.clone());
        self.answer(Asked::CreateAutomation(request), automation)
    }

    async fn update(&self, request: Request<UpdateAutomationRequest>) -> Answer<Automation> {
        let request = request.into_inner();
        let automation = self.automation(request.definition.clone());
        self.answer(Asked::UpdateAutomation(request), automation)
    }

    async fn get(&self, request: Request<AutomationRequest>) -> Answer<Automation> {
        self.named("get", request)
    }

    async fn list(&self, request: Request<ListAutomationsRequest>) -> Answer<ListAutomationsResponse> {
        let draft = self.draft.lock().unwrap().clone();
        let page = ListAutomationsResponse {
            automations: vec![self.automation(draft)],
            next_before_id: Bytes::from_static(&AUTOMATION),
        };
        self.answer(Asked::ListAutomations(request.into_inner()), page)
    }

    async fn delete(&self, request: Request<AutomationRequest>) -> Answer<DeleteAutomationResponse> {
        self.answer(Asked::Automation("delete", request.into_inner()), DeleteAutomationResponse {})
    }

    async fn publish(&self, request: Request<AutomationRequest>) -> Answer<Automation> {
        self.named("publish", request)
    }

    async fn pause(&self, request: Request<AutomationRequest>) -> Answer<Automation> {
        self.named("pause", request)
    }

    async fn start(&self, request: Request<AutomationRequest>) -> Answer<Automation> {
        self.named("start", request)
    }
}

#[tonic::async_trait]
impl ConnectionService for Fakes {
    async fn create(&self, request: Request<CreateConnectionRequest>) -> Answer<Connection> {
        self.waiting.add_permits(1);
        drop(self.turns.acquire().await.unwrap());
        let CreateConnectionRequest { workspace_id, partner, title, fields, concurrency } = request.into_inner();
        let connection = connection(&title, concurrency);
        let (partner, title) = (Some(partner), Some(title));
        let given = Given { workspace_id, id: None, partner, title, fields, concurrency };
        self.answer(Asked::CreateConnection(given), connection)
    }

    async fn update(&self, request: Request<UpdateConnectionRequest>) -> Answer<Connection> {
        let UpdateConnectionRequest { workspace_id, id, title, fields, concurrency } = request.into_inner();
        let given = Given { workspace_id, id: Some(id), partner: None, title, fields, concurrency };
        self.answer(Asked::UpdateConnection(given), connection("renamed", None))
    }

    async fn get(&self, request: Request<GetConnectionRequest>) -> Answer<Connection> {
        self.answer(Asked::GetConnection(request.into_inner()), connection("CRM", None))
    }

    async fn list(&self, request: Request<ListConnectionsRequest>) -> Answer<ListConnectionsResponse> {
        let page = ListConnectionsResponse { connections: vec![connection("CRM", Some(0))], next_after_id: 5 };
        self.answer(Asked::ListConnections(request.into_inner()), page)
    }

    async fn delete(&self, request: Request<DeleteConnectionRequest>) -> Answer<DeleteConnectionResponse> {
        self.answer(Asked::DeleteConnection(request.into_inner()), DeleteConnectionResponse {})
    }

    async fn test(
        &self,
        _: Request<patchbay_proto::connection::v1::ConnectionRequest>,
    ) -> Result<Response<patchbay_proto::connection::v1::TestConnectionResponse>, Status> {
        Err(Status::unimplemented("test"))
    }

    async fn disconnect(
        &self,
        _: Request<patchbay_proto::connection::v1::ConnectionRequest>,
    ) -> Result<Response<patchbay_proto::connection::v1::Connection>, Status> {
        Err(Status::unimplemented("disconnect"))
    }

    async fn reactivate(
        &self,
        _: Request<patchbay_proto::connection::v1::ConnectionRequest>,
    ) -> Result<Response<patchbay_proto::connection::v1::Connection>, Status> {
        Err(Status::unimplemented("reactivate"))
    }
}

#[tonic::async_trait]
impl RunService for Fakes {
    async fn list_runs(&self, request: Request<ListRunsRequest>) -> Answer<ListRunsResponse> {
        let page = ListRunsResponse { runs: vec![run()], next_before_id: Bytes::from_static(&RUN) };
        self.answer(Asked::ListRuns(request.into_inner()), page)
    }

    async fn get_run(&self, request: Request<RunRequest>) -> Answer<Run> {
        self.run("get", request)
    }

    async fn replay_run(&self, request: Request<RunRequest>) -> Answer<Run> {
        self.run("replay", request)
    }

    async fn cancel_run(&self, request: Request<RunRequest>) -> Answer<Run> {
        self.run("cancel", request)
    }

    async fn list_dead_letters(&self, request: Request<ListDeadLettersRequest>) -> Answer<ListDeadLettersResponse> {
        let page = ListDeadLettersResponse { dead_letters: vec![letter()], next_before_id: 0 };
        self.answer(Asked::ListDeadLetters(request.into_inner()), page)
    }

    async fn get_dead_letter(&self, request: Request<DeadLetterRequest>) -> Answer<DeadLetterDetail> {
        let detail = DeadLetterDetail {
            entry: Some(letter()),
            original: Bytes::from_static(b"raw"),
            payload: Bytes::from_static(b"{\"a\":1}"),
            topic: "trigger.fired".to_owned(),
        };
        self.answer(Asked::DeadLetter("get", request.into_inner()), detail)
    }

    async fn replay_dead_letter(&self, request: Request<DeadLetterRequest>) -> Answer<DeadLetterEntry> {
        self.answer(Asked::DeadLetter("replay", request.into_inner()), letter())
    }

    async fn drop_dead_letter(&self, request: Request<DeadLetterRequest>) -> Answer<DropDeadLetterResponse> {
        self.answer(Asked::DeadLetter("drop", request.into_inner()), DropDeadLetterResponse {})
    }
}

fn letter() -> DeadLetterEntry {
    DeadLetterEntry {
        id: 9,
        workspace_id: 1,
        kind: "run".to_owned(),
        reason: "exhausted".to_owned(),
        error: "no".to_owned(),
        run_id: Bytes::from_static(&RUN),
        event_id: "evt".to_owned(),
        at: 0,
    }
}
