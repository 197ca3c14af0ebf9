//! The service of connections.

use bytes::Bytes;
use patchbay_proto::connection::v1::{
    Connection, ConnectionRequest, CreateConnectionRequest, DeleteConnectionRequest, DeleteConnectionResponse,
    GetConnectionRequest, ListConnectionsRequest, ListConnectionsResponse, TestConnectionResponse,
    UpdateConnectionRequest, connection_service_server::ConnectionService,
};
use tonic::Request;

use super::{Answer, Asked, Fakes, Given};

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
