//! `/v1/connections`.

use axum::{
    Json,
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
};
use patchbay_proto::{
    Route,
    connection::v1::{
        Connection, ConnectionRequest, CreateConnectionRequest, DeleteConnectionRequest, GetConnectionRequest,
        ListConnectionsRequest, UpdateConnectionRequest, connection_service_client::ConnectionServiceClient,
    },
};
use patchbay_types::{ConnectionId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};

use super::{
    Answer, Gateway, LARGEST_ANSWER, Shared, ask,
    body::JsonBody,
    caller::Caller,
    created,
    page::{List, Page, Query, numeric_cursor, wrong},
    path::PathId,
    patient, unreadable,
};

/// Holds secrets, so it can't be printed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    partner: String,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    fields: Map<String, Value>,
    #[serde(default)]
    budget: Budget,
}

/// Holds secrets, so it can't be printed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Edit {
    title: Option<String>,
    fields: Option<Map<String, Value>>,
    #[serde(default)]
    budget: Budget,
}

/// How much of a partner a connection may use.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Budget {
    /// Calls in flight at once; null is the connector's own limit, 0 is no limit.
    concurrency: Option<i64>,
}

#[derive(Debug, Serialize)]
pub(super) struct Shown {
    id: ConnectionId,
    partner: String,
    title: String,
    status: String,
    fields: Box<RawValue>,
    budget: Budget,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// What one call to the partner told.
#[derive(Debug, Serialize)]
pub(super) struct Tested {
    /// `ok`, `rejected`, `unreachable`, `forbidden`, `misconfigured` or `needs_reauthorization`.
    result: String,
    message: String,
    partner_status: Option<u32>,
    partner_answer: String,
    duration_ms: i64,
    tested_at: Timestamp,
}

pub(super) async fn create(State(gateway): Shared, caller: Caller, JsonBody(new): JsonBody<New>) -> Answer<Response> {
    let request = CreateConnectionRequest {
        workspace_id: caller.workspace.get(),
        partner: new.partner,
        title: new.title.unwrap_or_default(),
        fields: bytes(&new.fields)?,
        concurrency: new.budget.checked()?,
    };
    Ok(created(shown(ask("connection", connections(&gateway).create(request)).await?)?))
}

pub(super) async fn list(
    State(gateway): Shared,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Answer<Json<Page<Shown>>> {
    let query = Query::new(query.as_deref());
    let request = ListConnectionsRequest {
        workspace_id: caller.workspace.get(),
        limit: query.limit()?,
        after_id: query.numeric_cursor(List::Connections)?,
    };
    let page = ask("connection", connections(&gateway).list(request)).await?;
    let items = page.connections.into_iter().map(shown).collect::<Answer<_>>()?;
    Ok(Json(Page { items, next_cursor: numeric_cursor(List::Connections, page.next_after_id) }))
}

pub(super) async fn show(
    State(gateway): Shared,
    caller: Caller,
    PathId(id): PathId<ConnectionId>,
) -> Answer<Json<Shown>> {
    let request = GetConnectionRequest { workspace_id: caller.workspace.get(), id: id.get() };
    shown(ask("connection", connections(&gateway).get(request)).await?).map(Json)
}

pub(super) async fn patch(
    State(gateway): Shared,
    caller: Caller,
    PathId(id): PathId<ConnectionId>,
    JsonBody(edit): JsonBody<Edit>,
) -> Answer<Json<Shown>> {
    let request = UpdateConnectionRequest {
        workspace_id: caller.workspace.get(),
        id: id.get(),
        title: edit.title,
        fields: edit.fields.as_ref().map(bytes).transpose()?.unwrap_or_default(),
        concurrency: edit.budget.checked()?,
    };
    shown(ask("connection", connections(&gateway).update(request)).await?).map(Json)
}

pub(super) async fn delete(
    State(gateway): Shared,
    caller: Caller,
    PathId(id): PathId<ConnectionId>,
) -> Answer<StatusCode> {
    let request = DeleteConnectionRequest { workspace_id: caller.workspace.get(), id: id.get() };
    ask("connection", connections(&gateway).delete(request)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Always 200: what the partner says is a result, never a problem of this request.
pub(super) async fn test(
    State(gateway): Shared,
    caller: Caller,
    PathId(id): PathId<ConnectionId>,
) -> Answer<Json<Tested>> {
    let tested = ask("connection", connections(&gateway).test(patient(named(&caller, id)))).await?;
    Ok(Json(Tested {
        result: tested.result,
        message: tested.message,
        partner_status: tested.partner_status,
        partner_answer: tested.partner_answer,
        duration_ms: tested.duration / 1000,
        tested_at: Timestamp::from_micros(tested.tested_at),
    }))
}

pub(super) async fn disconnect(
    State(gateway): Shared,
    caller: Caller,
    PathId(id): PathId<ConnectionId>,
) -> Answer<Json<Shown>> {
    shown(ask("connection", connections(&gateway).disconnect(named(&caller, id))).await?).map(Json)
}

pub(super) async fn reactivate(
    State(gateway): Shared,
    caller: Caller,
    PathId(id): PathId<ConnectionId>,
) -> Answer<Json<Shown>> {
    shown(ask("connection", connections(&gateway).reactivate(named(&caller, id))).await?).map(Json)
}

fn named(caller: &Caller, id: ConnectionId) -> ConnectionRequest {
    ConnectionRequest { workspace_id: caller.workspace.get(), id: id.get() }
}

impl Budget {
    fn checked(&self) -> Answer<Option<i64>> {
        match self.concurrency {
            Some(number) if number < 0 => {
                Err(wrong("budget.concurrency", "concurrency must be 0 or more; 0 is no limit"))
            }
            number => Ok(number),
        }
    }
}

fn connections(gateway: &Gateway) -> ConnectionServiceClient<Route> {
    ConnectionServiceClient::new(gateway.peers.connection.clone()).max_decoding_message_size(LARGEST_ANSWER)
}

fn bytes(fields: &Map<String, Value>) -> Answer<bytes::Bytes> {
    serde_json::to_vec(fields).map(Into::into).map_err(|_| wrong("fields", "fields can't be written as JSON"))
}

fn shown(connection: Connection) -> Answer<Shown> {
    Ok(Shown {
        id: ConnectionId::new(connection.id),
        partner: connection.partner,
        title: connection.title,
        status: connection.status,
        fields: serde_json::from_slice(&connection.fields).map_err(|_| unreadable("fields of a connection"))?,
        budget: Budget { concurrency: connection.concurrency },
        created_at: Timestamp::from_micros(connection.created_at),
        updated_at: Timestamp::from_micros(connection.updated_at),
    })
}
