//! Events of dead letters are brought in again when a person asked for it.

use bytes::Bytes;
use patchbay_broker::Message;
use patchbay_proto::Topic;
use patchbay_store::Error;
use patchbay_types::WorkspaceId;
use prost::Message as _;

use crate::{desk::readable, executor::Executor, rows::DeadLetterRow};

/// Dead letters in one look.
const BATCH: i64 = 64;

/// Publishes the events that were asked for, under the ids that they have, then forgets their dead letters. When it ends
/// in between, they are published again with the same accept time, which makes them the same delivery.
pub(crate) async fn revive(executor: &Executor) -> Result<bool, Error> {
    let rows = executor.store.asked_replays(BATCH).await?;
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

fn message(row: &DeadLetterRow) -> Option<Message> {
    let mut event = readable(row)?;
    event.accepted_at = row.replay_at?;
    let payload = event.encode_to_vec().into();
    Some(Message { key: Bytes::from(event.event_id), payload, tenant: event.workspace_id, ..Message::default() })
}
