//! The services that the gateway asks. They note what they are asked.

mod automation;
mod catalog;
mod connection;
mod event;
mod executor;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use patchbay_gateway::Peers;
use patchbay_proto::{
    Route,
    automation::v1::{
        AutomationRequest, CreateAutomationRequest, ListAutomationsRequest, UpdateAutomationRequest,
        automation_service_server::AutomationServiceServer,
    },
    catalog::v1::{
        FieldsRequest, GetPartnerRequest, ListOperationsRequest, ListPartnersRequest, OptionsRequest, RefreshRequest,
        catalog_service_server::CatalogServiceServer,
    },
    connection::v1::{
        ConnectionRequest, DeleteConnectionRequest, GetConnectionRequest, ListConnectionsRequest,
        connection_service_server::ConnectionServiceServer,
    },
    event::v1::{PublishRequest, TailRequest, event_service_server::EventServiceServer},
    executor::v1::{
        DeadLetterRequest, ListDeadLettersRequest, ListRunsRequest, RunRequest, run_service_server::RunServiceServer,
    },
};
use patchbay_service::status;
use patchbay_types::Fault;
use tokio::sync::Semaphore;
use tonic::{Response, Status, service::Routes};

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
}
