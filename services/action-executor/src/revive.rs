//! Events of dead letters are brought in again when a person asked for it.

use bytes::Bytes;
use patchbay_broker::Message;
use patchbay_proto::Topic;
use patchbay_store::Error;
use patchbay_types::{SourceId, WorkspaceId};
use prost::Message as _;

use crate::{desk::readable, executor::Executor, rows::DeadLetterRow};

/// Dead letters in one look.
const BATCH: i64 = 64;
/// What is added to the error of a letter that stays.
const REFUSED: &str = "; its event was not brought in again: ";
const WHY: &str = "no active automation takes it. Start one, then replay the dead letter";

/// Publishes the events that were asked for, under the ids that they have, then forgets their dead letters. When it ends
/// in between, they are published again with the same accept time, which makes them the same delivery.
pub(crate) async fn revive(executor: &Executor) -> Result<bool, Error> {
    let rows = executor.store.asked_replays(BATCH).await?;
    let (rows, unwanted): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| is_wanted(executor, row));
    for row in unwanted {
        let error = row.view.error.split(REFUSED).next().unwrap_or_default();
        tracing::warn!(dead_letter = row.view.id, "no active automation takes the event of a dead letter, it stays");
        executor.store.refuse_replay(row.view.id, &format!("{error}{REFUSED}{WHY}")).await?;
    }
    // One that can't be read after all stays where it is: there is nothing of it to bring in.
    let (rows, messages): (Vec<_>, Vec<_>) =
        rows.into_iter().filter_map(|row| message(&row).map(|message| (row, message))).unzip();
    if rows.is_empty() {
        return Ok(false);
    }
    if let Err(error) = executor.broker.publish(Topic::TriggerFired, messages).await {
        tracing::warn!(%error, "events of dead letters can't be brought in, trying again");
        return Ok(false);
    }
    for row in rows {
        executor.store.drop_dead_letter(WorkspaceId::new(row.view.workspace_id), row.view.id).await?;
        tracing::info!(dead_letter = row.view.id, event = %row.view.event_id, "event of a dead letter was brought in");
    }
    Ok(true)
}

/// Whether somebody would run it: what nobody takes would be counted, and gone.
fn is_wanted(executor: &Executor, row: &DeadLetterRow) -> bool {
    let source = readable(row).and_then(|event| SourceId::from_slice(&event.source_id).ok());
    source.is_none_or(|source| executor.definitions.listeners(source).iter().any(|listener| listener.active))
}

fn message(row: &DeadLetterRow) -> Option<Message> {
    let mut event = readable(row)?;
    event.accepted_at = row.replay_at?;
    let payload = event.encode_to_vec().into();
    Some(Message { key: Bytes::from(event.event_id), payload, tenant: event.workspace_id, ..Message::default() })
}
