//! `/v1/dead-letters`.

use axum::{
    Json,
    extract::{RawQuery, State},
};
use patchbay_proto::executor::v1::{DeadLetterEntry, ListDeadLettersRequest, run_service_client::RunServiceClient};
use patchbay_types::{RunId, Timestamp};
use serde::Serialize;

use super::{
    Answer, LARGEST_ANSWER, Shared, ask,
    caller::Caller,
    page::{List, Page, Query, numeric_cursor},
};

#[derive(Debug, Serialize)]
pub(super) struct Shown {
    id: i64,
    kind: String,
    reason: String,
    error: String,
    run_id: Option<RunId>,
    event_id: String,
    at: Timestamp,
}

pub(super) async fn list(
    State(gateway): Shared,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Answer<Json<Page<Shown>>> {
    let query = Query::new(query.as_deref());
    let request = ListDeadLettersRequest {
        workspace_id: caller.workspace.get(),
        limit: query.limit()?,
        before_id: query.numeric_cursor(List::DeadLetters)?,
    };
    let mut executor = RunServiceClient::new(gateway.peers.executor.clone()).max_decoding_message_size(LARGEST_ANSWER);
    let page = ask(executor.list_dead_letters(request)).await?;
    let items = page.dead_letters.into_iter().map(show).collect();
    Ok(Json(Page { items, next_cursor: numeric_cursor(List::DeadLetters, page.next_before_id) }))
}

fn show(entry: DeadLetterEntry) -> Shown {
    Shown {
        id: entry.id,
        kind: entry.kind,
        reason: entry.reason,
        error: entry.error,
        run_id: RunId::from_slice(&entry.run_id).ok(),
        event_id: entry.event_id,
        at: Timestamp::from_micros(entry.at),
    }
}
