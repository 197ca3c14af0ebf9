//! `/v1/dead-letters`.

use axum::{
    Json,
    extract::{RawQuery, State},
    http::StatusCode,
};
use patchbay_proto::{
    Route,
    executor::v1::{DeadLetterRequest, ListDeadLettersRequest, run_service_client::RunServiceClient},
};

use super::{
    Answer, Gateway, LARGEST_ANSWER, Shared, ask,
    caller::Caller,
    page::{List, Page, Query, numeric_cursor},
    path::PathId,
};
use crate::view::{self, ShownDeadLetter, ShownDeadLetterDetail};

pub(super) async fn list(
    State(gateway): Shared,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Answer<Json<Page<ShownDeadLetter>>> {
    let query = Query::new(query.as_deref());
    let request = ListDeadLettersRequest {
        workspace_id: caller.workspace.get(),
        limit: query.limit()?,
        before_id: query.numeric_cursor(List::DeadLetters)?,
    };
    let page = ask("action-executor", executor(&gateway).list_dead_letters(request)).await?;
    let items = page.dead_letters.into_iter().map(view::dead_letter).collect();
    Ok(Json(Page { items, next_cursor: numeric_cursor(List::DeadLetters, page.next_before_id) }))
}

pub(super) async fn show(
    State(gateway): Shared,
    caller: Caller,
    PathId(id): PathId<i64>,
) -> Answer<Json<ShownDeadLetterDetail>> {
    let detail = ask("action-executor", executor(&gateway).get_dead_letter(named(caller, id))).await?;
    Ok(Json(view::dead_letter_detail(detail)))
}

pub(super) async fn replay(
    State(gateway): Shared,
    caller: Caller,
    PathId(id): PathId<i64>,
) -> Answer<Json<ShownDeadLetter>> {
    let entry = ask("action-executor", executor(&gateway).replay_dead_letter(named(caller, id))).await?;
    Ok(Json(view::dead_letter(entry)))
}

pub(super) async fn delete(State(gateway): Shared, caller: Caller, PathId(id): PathId<i64>) -> Answer<StatusCode> {
    ask("action-executor", executor(&gateway).drop_dead_letter(named(caller, id))).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn executor(gateway: &Gateway) -> RunServiceClient<Route> {
    RunServiceClient::new(gateway.peers.executor.clone()).max_decoding_message_size(LARGEST_ANSWER)
}

fn named(caller: Caller, id: i64) -> DeadLetterRequest {
    DeadLetterRequest { workspace_id: caller.workspace.get(), id }
}
