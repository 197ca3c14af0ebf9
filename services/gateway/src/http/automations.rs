//! `/v1/automations`.

use axum::{
    Json,
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
};
use patchbay_proto::{
    Route,
    automation::v1::{
        Automation, AutomationRequest, CreateAutomationRequest, ListAutomationsRequest, UpdateAutomationRequest,
        automation_service_client::AutomationServiceClient,
    },
};
use patchbay_types::{AutomationId, SourceId, Timestamp};
use serde_json::{Map, Value};

use super::{
    Answer, Gateway, LARGEST_ANSWER, Shared, ask,
    body::JsonBody,
    caller::Caller,
    created,
    page::{List, Page, Query, cursor, wrong},
    path::PathId,
    unreadable,
};

type Document = Map<String, Value>;

/// What `GET` adds to a document. Given back with a changed one, it is left out again.
const ADDED: [&str; 5] = ["id", "status", "version", "created_at", "updated_at"];

pub(super) async fn create(
    State(gateway): Shared,
    caller: Caller,
    JsonBody(document): JsonBody<Document>,
) -> Answer<Response> {
    let request = CreateAutomationRequest { workspace_id: caller.workspace.get(), definition: definition(document)? };
    Ok(created(shown(&gateway, ask("automation", automations(&gateway).create(request)).await?)?))
}

pub(super) async fn list(
    State(gateway): Shared,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Answer<Json<Page<Document>>> {
    let query = Query::new(query.as_deref());
    let request = ListAutomationsRequest {
        workspace_id: caller.workspace.get(),
        limit: query.limit()?,
        before_id: query.uuid_cursor(List::Automations)?.into(),
    };
    let page = ask("automation", automations(&gateway).list(request)).await?;
    let items = page.automations.into_iter().map(|automation| shown(&gateway, automation)).collect::<Answer<_>>()?;
    Ok(Json(Page { items, next_cursor: cursor(List::Automations, &page.next_before_id) }))
}

pub(super) async fn show(
    State(gateway): Shared,
    caller: Caller,
    PathId(id): PathId<AutomationId>,
) -> Answer<Json<Document>> {
    shown(&gateway, ask("automation", automations(&gateway).get(named(caller, id))).await?).map(Json)
}

/// Replaces the document.
pub(super) async fn replace(
    State(gateway): Shared,
    caller: Caller,
    PathId(id): PathId<AutomationId>,
    JsonBody(document): JsonBody<Document>,
) -> Answer<Json<Document>> {
    update(&gateway, caller, id, document).await
}

/// Replaces the named keys of the document, and removes those that are null.
pub(super) async fn patch(
    State(gateway): Shared,
    caller: Caller,
    PathId(id): PathId<AutomationId>,
    JsonBody(changes): JsonBody<Document>,
) -> Answer<Json<Document>> {
    let automation = ask("automation", automations(&gateway).get(named(caller, id))).await?;
    let mut document = document(&automation)?;
    for (key, value) in changes {
        if value.is_null() {
            document.remove(&key);
        } else {
            document.insert(key, value);
        }
    }
    update(&gateway, caller, id, document).await
}

pub(super) async fn delete(
    State(gateway): Shared,
    caller: Caller,
    PathId(id): PathId<AutomationId>,
) -> Answer<StatusCode> {
    ask("automation", automations(&gateway).delete(named(caller, id))).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn publish(
    State(gateway): Shared,
    caller: Caller,
    PathId(id): PathId<AutomationId>,
) -> Answer<Json<Document>> {
    shown(&gateway, ask("automation", automations(&gateway).publish(named(caller, id))).await?).map(Json)
}

pub(super) async fn pause(
    State(gateway): Shared,
    caller: Caller,
    PathId(id): PathId<AutomationId>,
) -> Answer<Json<Document>> {
    shown(&gateway, ask("automation", automations(&gateway).pause(named(caller, id))).await?).map(Json)
}

pub(super) async fn start(
    State(gateway): Shared,
    caller: Caller,
    PathId(id): PathId<AutomationId>,
) -> Answer<Json<Document>> {
    shown(&gateway, ask("automation", automations(&gateway).start(named(caller, id))).await?).map(Json)
}

async fn update(gateway: &Gateway, caller: Caller, id: AutomationId, document: Document) -> Answer<Json<Document>> {
    let request = UpdateAutomationRequest {
        workspace_id: caller.workspace.get(),
        id: id.as_bytes().to_vec().into(),
        definition: definition(document)?,
    };
    shown(gateway, ask("automation", automations(gateway).update(request)).await?).map(Json)
}

fn automations(gateway: &Gateway) -> AutomationServiceClient<Route> {
    AutomationServiceClient::new(gateway.peers.automation.clone()).max_decoding_message_size(LARGEST_ANSWER)
}

fn named(caller: Caller, id: AutomationId) -> AutomationRequest {
    AutomationRequest { workspace_id: caller.workspace.get(), id: id.as_bytes().to_vec().into() }
}

/// The document as its owner takes it: without what `GET` added.
fn definition(mut document: Document) -> Answer<bytes::Bytes> {
    document.retain(|key, _| !ADDED.contains(&key.as_str()));
    if let Some(Value::Object(trigger)) = document.get_mut("trigger") {
        trigger.remove("hook_url");
    }
    serde_json::to_vec(&document).map(Into::into).map_err(|_| wrong("", "the document can't be written as JSON"))
}

fn document(automation: &Automation) -> Answer<Document> {
    serde_json::from_slice(&automation.definition).map_err(|_| unreadable("definition of an automation"))
}

fn shown(gateway: &Gateway, automation: Automation) -> Answer<Document> {
    let mut document = document(&automation)?;
    let id = AutomationId::from_slice(&automation.id).map_err(|_| unreadable("automation id"))?;
    let trigger = document.entry("trigger").or_insert_with(|| Value::Object(Map::new()));
    if let (Value::Object(trigger), Ok(source)) = (trigger, SourceId::from_slice(&automation.source_id)) {
        trigger.insert("source_id".to_owned(), source.to_string().into());
        if !automation.hook_token.is_empty() {
            let url = format!("{}/hooks/{}", gateway.base, automation.hook_token);
            trigger.insert("hook_url".to_owned(), url.into());
        }
    }
    let moment = |micros| Value::from(Timestamp::from_micros(micros).to_string());
    document.insert("id".to_owned(), id.to_string().into());
    document.insert("status".to_owned(), automation.status.into());
    document.insert("version".to_owned(), automation.version.into());
    document.insert("created_at".to_owned(), moment(automation.created_at));
    document.insert("updated_at".to_owned(), moment(automation.updated_at));
    Ok(document)
}
