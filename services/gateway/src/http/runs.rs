//! `/v1/runs`.

use axum::{
    Json,
    extract::{RawQuery, State},
};
use patchbay_proto::{
    Route,
    executor::v1::{ListRunsRequest, Run, RunRequest, Step, StepError, Waiting, run_service_client::RunServiceClient},
};
use patchbay_types::{AutomationId, ConnectionId, RunId, Timestamp};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    Answer, Gateway, LARGEST_ANSWER, Shared, ask,
    caller::Caller,
    page::{List, Page, Query, cursor, wrong},
    path::PathId,
    unreadable,
};

const STATUSES: [&str; 8] =
    ["queued", "running", "waiting", "succeeded", "failed", "cancelled", "outcome_unknown", "filtered"];

/// A run as it is answered. Payloads are JSON already and are passed on as they are.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    id: RunId,
    automation_id: AutomationId,
    version: i64,
    event_id: String,
    status: String,
    started_at: Timestamp,
    finished_at: Option<Timestamp>,
    attempt: i64,
    trigger: Option<Box<RawValue>>,
    waiting: Option<ShownWaiting>,
    steps: Vec<ShownStep>,
}

#[derive(Debug, Serialize)]
struct ShownWaiting {
    r#for: String,
    until: Option<Timestamp>,
    connection_id: Option<ConnectionId>,
    reason: String,
}

#[derive(Debug, Serialize)]
struct ShownStep {
    key: String,
    operation: String,
    status: String,
    attempts: i64,
    input: Option<Box<RawValue>>,
    output: Option<Box<RawValue>>,
    error: Option<ShownError>,
}

#[derive(Debug, Serialize)]
struct ShownError {
    class: String,
    message: String,
    partner_status: Option<u32>,
}

pub(super) async fn list(
    State(gateway): Shared,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Answer<Json<Page<Shown>>> {
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
    let page = ask(executor(&gateway).list_runs(request)).await?;
    let items = page.runs.into_iter().map(shown).collect::<Answer<_>>()?;
    Ok(Json(Page { items, next_cursor: cursor(List::Runs, &page.next_before_id) }))
}

pub(super) async fn show(State(gateway): Shared, caller: Caller, PathId(id): PathId<RunId>) -> Answer<Json<Shown>> {
    shown(ask(executor(&gateway).get_run(named(caller, id))).await?).map(Json)
}

pub(super) async fn replay(State(gateway): Shared, caller: Caller, PathId(id): PathId<RunId>) -> Answer<Json<Shown>> {
    shown(ask(executor(&gateway).replay_run(named(caller, id))).await?).map(Json)
}

pub(super) async fn cancel(State(gateway): Shared, caller: Caller, PathId(id): PathId<RunId>) -> Answer<Json<Shown>> {
    shown(ask(executor(&gateway).cancel_run(named(caller, id))).await?).map(Json)
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

fn shown(run: Run) -> Answer<Shown> {
    Ok(Shown {
        id: RunId::from_slice(&run.id).map_err(|_| unreadable("run id"))?,
        automation_id: AutomationId::from_slice(&run.automation_id).map_err(|_| unreadable("automation id"))?,
        version: run.version,
        event_id: run.event_id,
        status: run.status,
        started_at: Timestamp::from_micros(run.started_at),
        finished_at: moment(run.finished_at),
        attempt: run.attempt,
        trigger: raw(&run.trigger),
        waiting: run.waiting.map(waiting),
        steps: run.steps.into_iter().map(step).collect(),
    })
}

fn waiting(waiting: Waiting) -> ShownWaiting {
    ShownWaiting {
        r#for: waiting.r#for,
        until: moment(waiting.until),
        connection_id: (waiting.connection_id != 0).then(|| ConnectionId::new(waiting.connection_id)),
        reason: waiting.reason,
    }
}

fn step(step: Step) -> ShownStep {
    ShownStep {
        key: step.key,
        operation: step.operation,
        status: step.status,
        attempts: step.attempts,
        input: raw(&step.input),
        output: raw(&step.output),
        error: step.error.map(|StepError { class, message, partner_status }| ShownError {
            class,
            message,
            partner_status,
        }),
    }
}

/// 0 stands for no time.
fn moment(micros: i64) -> Option<Timestamp> {
    (micros != 0).then(|| Timestamp::from_micros(micros))
}

/// JSON to embed as it is. What is empty, or is no JSON after all, is null.
fn raw(json: &[u8]) -> Option<Box<RawValue>> {
    serde_json::from_slice(json).ok()
}
