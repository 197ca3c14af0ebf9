//! `/v1/runs`.

use axum::{
    Json,
    extract::{RawQuery, State},
};
use patchbay_proto::{
    Route,
    executor::v1::{ListRunsRequest, Run, RunRequest, run_service_client::RunServiceClient},
};
use patchbay_types::{AutomationId, ConnectionId, RunId};

use super::{
    Answer, Gateway, LARGEST_ANSWER, Shared, ask,
    caller::Caller,
    page::{List, Page, Query, cursor, wrong},
    path::PathId,
    unreadable,
};
use crate::view::{self, STATUSES, ShownRun};

pub(super) async fn list(
    State(gateway): Shared,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Answer<Json<Page<ShownRun>>> {
    let query = Query::new(query.as_deref());
    let status = query.text("status")?.unwrap_or_default();
    if !status.is_empty() && !STATUSES.contains(&status.as_str()) {
        return Err(wrong("status", &format!("status must be one of {}", STATUSES.join(", "))));
    }
    let automation: Option<AutomationId> = parse(&query, "automation_id")?;
    let connection: Option<ConnectionId> = parse(&query, "connection_id")?;
    let request = ListRunsRequest {
        workspace_id: caller.workspace.get(),
        limit: query.limit()?,
        before_id: query.uuid_cursor(List::Runs)?.into(),
        automation_id: automation.map(|id| id.as_bytes().to_vec()).unwrap_or_default().into(),
        status,
        connection_id: connection.map_or(0, ConnectionId::get),
        event_id: query.text("event_id")?.unwrap_or_default(),
    };
    let page = ask("action-executor", executor(&gateway).list_runs(request)).await?;
    let items = page.runs.into_iter().map(shown).collect::<Answer<_>>()?;
    Ok(Json(Page { items, next_cursor: cursor(List::Runs, &page.next_before_id) }))
}

pub(super) async fn show(State(gateway): Shared, caller: Caller, PathId(id): PathId<RunId>) -> Answer<Json<ShownRun>> {
    shown(ask("action-executor", executor(&gateway).get_run(named(caller, id))).await?).map(Json)
}

pub(super) async fn replay(
    State(gateway): Shared,
    caller: Caller,
    PathId(id): PathId<RunId>,
) -> Answer<Json<ShownRun>> {
    shown(ask("action-executor", executor(&gateway).replay_run(named(caller, id))).await?).map(Json)
}

pub(super) async fn cancel(
    State(gateway): Shared,
    caller: Caller,
    PathId(id): PathId<RunId>,
) -> Answer<Json<ShownRun>> {
    shown(ask("action-executor", executor(&gateway).cancel_run(named(caller, id))).await?).map(Json)
}

fn executor(gateway: &Gateway) -> RunServiceClient<Route> {
    RunServiceClient::new(gateway.peers.executor.clone()).max_decoding_message_size(LARGEST_ANSWER)
}

fn named(caller: Caller, id: RunId) -> RunRequest {
    RunRequest { workspace_id: caller.workspace.get(), id: id.as_bytes().to_vec().into() }
}

fn parse<T: std::str::FromStr<Err: ToString>>(query: &Query<'_>, name: &'static str) -> Answer<Option<T>> {
    let Some(text) = query.text(name)? else { return Ok(None) };
    text.parse().map(Some).map_err(|error: T::Err| wrong(name, &error.to_string()))
}

fn shown(run: Run) -> Answer<ShownRun> {
    view::run(run).map_err(|view::Unreadable(what)| unreadable(what))
}
