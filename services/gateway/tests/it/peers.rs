//! The services that the gateway asks. They note what they are asked.

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures_util::{Stream, stream};
use patchbay_gateway::Peers;
use patchbay_proto::{
    Route,
    automation::v1::{
        Automation, AutomationRequest, CreateAutomationRequest, DeleteAutomationResponse, ListAutomationsRequest,
        ListAutomationsResponse, UpdateAutomationRequest,
        automation_service_server::{AutomationService, AutomationServiceServer},
    },
    catalog::v1::{
        self as catalog, FieldsRequest, GetPartnerRequest, ListOperationsRequest, ListPartnersRequest, OptionsRequest,
        RefreshRequest,
        catalog_service_server::{CatalogService, CatalogServiceServer},
    },
    connection::v1::{
        Connection, ConnectionRequest, CreateConnectionRequest, DeleteConnectionRequest, DeleteConnectionResponse,
        GetConnectionRequest, ListConnectionsRequest, ListConnectionsResponse, TestConnectionResponse,
        UpdateConnectionRequest,
        connection_service_server::{ConnectionService, ConnectionServiceServer},
    },
    event::v1::{
        PublishRequest, PublishResponse, TailRequest, TailedEvent,
        event_service_server::{EventService, EventServiceServer},
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
    Connection(&'static str, ConnectionRequest),
    ListRuns(ListRunsRequest),
    Run(&'static str, RunRequest),
    ListDeadLetters(ListDeadLettersRequest),
    DeadLetter(&'static str, DeadLetterRequest),
    ListPartners(ListPartnersRequest),
    GetPartner(GetPartnerRequest),
    ListOperations(ListOperationsRequest),
    Fields(FieldsRequest),
    Options(OptionsRequest),
    Refresh(RefreshRequest),
    Publish(PublishRequest),
    Tail(TailRequest),
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
            catalog: Route::local(Routes::new(CatalogServiceServer::new(self.clone()))),
            automation: Route::local(Routes::new(AutomationServiceServer::new(self.clone()))),
            executor: Route::local(Routes::new(RunServiceServer::new(self.clone()))),
            events: Route::local(Routes::new(EventServiceServer::new(self.clone()))),
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

    async fn test(&self, request: Request<ConnectionRequest>) -> Answer<TestConnectionResponse> {
        let tested = TestConnectionResponse {
            result: "rejected".to_owned(),
            message: "give it again".to_owned(),
            partner_status: Some(401),
            partner_answer: "no".to_owned(),
            duration: 12_345,
            tested_at: 1,
        };
        self.answer(Asked::Connection("test", request.into_inner()), tested)
    }

    async fn disconnect(&self, request: Request<ConnectionRequest>) -> Answer<Connection> {
        self.answer(Asked::Connection("disconnect", request.into_inner()), connection("CRM", None))
    }

    async fn reactivate(&self, request: Request<ConnectionRequest>) -> Answer<Connection> {
        self.answer(Asked::Connection("reactivate", request.into_inner()), connection("CRM", None))
    }
}

fn choice(value: &str, label: &str) -> catalog::Choice {
    catalog::Choice { value: value.to_owned(), label: label.to_owned() }
}

fn host() -> catalog::Field {
    catalog::Field {
        name: "host".to_owned(),
        label: "Host".to_owned(),
        r#type: "string".to_owned(),
        ..catalog::Field::default()
    }
}

fn database() -> catalog::Field {
    catalog::Field {
        name: "db_id".to_owned(),
        label: "Database".to_owned(),
        help: String::new(),
        r#type: "integer".to_owned(),
        required: true,
        default: Bytes::from_static(b"7"),
        options: vec![choice("7", "Main")],
        list: "databases".to_owned(),
        waits_for: vec!["host".to_owned()],
        options_error: "down".to_owned(),
        custom: false,
    }
}

fn partner() -> catalog::Partner {
    catalog::Partner {
        key: "altcraft".to_owned(),
        id: 225,
        title: "Altcraft".to_owned(),
        titles: [("ru".to_owned(), "Альткрафт".to_owned())].into(),
        description: "Mail".to_owned(),
        categories: vec!["marketing".to_owned()],
        region: vec![3],
        deprecated: false,
        version: "1.0.0".to_owned(),
        connection_fields: vec![host()],
        testable: true,
        lists: vec!["databases".to_owned()],
    }
}

fn operation() -> catalog::Operation {
    catalog::Operation {
        name: "altcraft.import_profile".to_owned(),
        id: 22_500_001,
        partner: "altcraft".to_owned(),
        kind: "action".to_owned(),
        title: "Import".to_owned(),
        safe_to_repeat: true,
        sample: Bytes::from_static(br#"{"profile_id": 1.50}"#),
        ..catalog::Operation::default()
    }
}

#[tonic::async_trait]
impl CatalogService for Fakes {
    async fn list_partners(&self, request: Request<ListPartnersRequest>) -> Answer<catalog::ListPartnersResponse> {
        let found = catalog::ListPartnersResponse { partners: vec![partner()] };
        self.answer(Asked::ListPartners(request.into_inner()), found)
    }

    async fn get_partner(&self, request: Request<GetPartnerRequest>) -> Answer<catalog::Partner> {
        self.answer(Asked::GetPartner(request.into_inner()), partner())
    }

    async fn list_operations(
        &self,
        request: Request<ListOperationsRequest>,
    ) -> Answer<catalog::ListOperationsResponse> {
        let found = catalog::ListOperationsResponse { operations: vec![operation()] };
        self.answer(Asked::ListOperations(request.into_inner()), found)
    }

    async fn fields(&self, request: Request<FieldsRequest>) -> Answer<catalog::FieldsResponse> {
        let section = catalog::RowSection {
            name: "emails".to_owned(),
            label: "Emails".to_owned(),
            help: String::new(),
            required: true,
            fields: vec![host()],
        };
        let form = catalog::FieldsResponse {
            operation: Some(operation()),
            fields: vec![database()],
            row_sections: vec![section],
        };
        self.answer(Asked::Fields(request.into_inner()), form)
    }

    async fn options(&self, request: Request<OptionsRequest>) -> Answer<catalog::OptionsResponse> {
        let found = catalog::OptionsResponse { options: vec![choice("12", "Welcome")], fetched_at: 1, truncated: true };
        self.answer(Asked::Options(request.into_inner()), found)
    }

    async fn refresh(&self, request: Request<RefreshRequest>) -> Answer<catalog::RefreshResponse> {
        let list = |list: &str, options, error: &str| catalog::RefreshedList {
            list: list.to_owned(),
            options,
            error: error.to_owned(),
        };
        let lists = vec![list("databases", 2, ""), list("scenarios", 0, "down")];
        self.answer(Asked::Refresh(request.into_inner()), catalog::RefreshResponse { lists })
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

#[tonic::async_trait]
impl EventService for Fakes {
    type TailStream = Pin<Box<dyn Stream<Item = Result<TailedEvent, Status>> + Send>>;

    async fn publish(&self, request: Request<PublishRequest>) -> Answer<PublishResponse> {
        let request = request.into_inner();
        // The first event fires one trigger, the second two, and so on.
        let sources = (1..).take(request.events.len()).collect();
        self.answer(Asked::Publish(request), PublishResponse { sources })
    }

    async fn tail(&self, request: Request<TailRequest>) -> Answer<Self::TailStream> {
        let event = TailedEvent {
            source_id: Bytes::from_static(&SOURCE),
            event_id: "1".to_owned(),
            operation: "webhook.received".to_owned(),
            accepted_at: 0,
            payload: Bytes::from_static(b"{\"text\":\"a\\nb\"}"),
        };
        let events: Self::TailStream = Box::pin(stream::iter([Ok(event), Err(Status::unavailable("gone"))]));
        self.answer(Asked::Tail(request.into_inner()), events)
    }
}
