//! Dead letters of other services and of the broker: into the table, which is the only truth about them.

use std::{sync::Arc, time::Duration};

use patchbay_broker::{Consumer, Delivery, dead_letter};
use patchbay_proto::event::v1::TriggerFired;
use patchbay_runtime::backoff::Backoff;
use patchbay_types::SourceId;
use prost::Message as _;

use crate::{executor::Executor, rows::DeadRow};

/// Dead letters written at once, and held at once.
pub(crate) const BATCH: usize = 64;
/// The longest error that is kept, in bytes.
const LONGEST_ERROR: usize = 4_096;

/// Keeps dead letters until the shutdown begins. Each is acknowledged when it is durable, so that a crash in between may
/// bring one twice: bringing in its event twice starts no second run.
pub(crate) async fn keep(executor: Arc<Executor>, mut consumer: Box<dyn Consumer>) {
    let shutdown = executor.tasks.shutdown().clone();
    let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(1));
    loop {
        match shutdown.or(consumer.next_batch(BATCH)).await {
            None => return,
            Some(Ok(deliveries)) => {
                backoff.reset();
                for delivery in deliveries {
                    bury(&executor, delivery).await;
                }
            }
            Some(Err(error)) => {
                tracing::warn!(%error, "dead letters can't be read, trying again");
                shutdown.or(tokio::time::sleep(backoff.next_wait())).await;
            }
        }
    }
}

async fn bury(executor: &Executor, delivery: Delivery) {
    let row = row(executor, &delivery);
    tracing::warn!(reason = row.reason, event = row.event_id, error = row.error, "event becomes a dead letter");
    executor.telemetry.dead_letters.inc();
    if executor.writer.bury(row).await {
        delivery.acknowledge();
    }
}

fn row(executor: &Executor, delivery: &Delivery) -> DeadRow {
    let header = |wanted: &str| {
        let found = delivery.message.headers.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.replace('\0', "")).filter(|value| !value.is_empty())
    };
    let mut error = header(dead_letter::ERROR).unwrap_or_else(|| "its sender gave no reason".to_owned());
    error.truncate(error.floor_char_boundary(LONGEST_ERROR));
    let event = TriggerFired::decode(delivery.message.payload.clone()).unwrap_or_default();
    DeadRow {
        workspace: event.workspace_id,
        kind: "event",
        reason: header(dead_letter::REASON).unwrap_or_else(|| "unknown".to_owned()),
        error,
        run: None,
        source: SourceId::from_slice(&event.source_id).ok().map(|source| source.as_bytes().to_vec()),
        event_id: event.event_id.replace('\0', ""),
        original: Some(delivery.message.payload.to_vec()),
        at: executor.now(),
    }
}
