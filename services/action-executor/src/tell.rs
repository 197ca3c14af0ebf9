//! Telling others that runs ended: from the rows of the settling transactions, until the broker confirms.

use std::{fmt::Write as _, sync::Arc, time::Duration};

use bytes::Bytes;
use patchbay_broker::{Broker, Message};
use patchbay_proto::{
    Topic,
    event::v1::{FinishedBatch, RunFinished},
};
use patchbay_types::{AutomationId, RunId, Timestamp};
use serde_json::json;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::writer::Writer;

/// Batches that may wait to be told; beyond it the reconciler tells them.
const WAITING: usize = 1_024;
/// Batches in one publish.
const AT_ONCE: usize = 64;
/// How long ended runs are gathered.
const GATHER: Duration = Duration::from_millis(20);

/// The way to the task that tells.
#[derive(Debug, Clone)]
pub(crate) struct Teller {
    batches: mpsc::Sender<(Uuid, FinishedBatch)>,
}

/// The task's side.
#[derive(Debug)]
pub(crate) struct TellerTask {
    batches: mpsc::Receiver<(Uuid, FinishedBatch)>,
}

/// A teller and its task, which is to be spawned.
pub(crate) fn teller() -> (Teller, TellerTask) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (Teller { batches: sender }, TellerTask { batches: receiver })
}

impl Teller {
    /// Tells soon. What finds no room is told by the reconciler, from its row.
    pub(crate) fn tell(&self, id: Uuid, batch: FinishedBatch) {
        let _ = self.batches.try_send((id, batch));
    }
}

impl TellerTask {
    /// Tells until nobody is left to ask for it.
    pub(crate) async fn run(mut self, broker: Arc<dyn Broker>, writer: Writer, stop: patchbay_runtime::Shutdown) {
        let mut batches = Vec::with_capacity(AT_ONCE);
        while let Some(count) = stop.or(self.batches.recv_many(&mut batches, AT_ONCE)).await {
            if count == 0 {
                return;
            }
            // Nobody waits for it: a moment's worth of runs is told at once.
            stop.or(tokio::time::sleep(GATHER)).await;
            while let Ok(more) = self.batches.try_recv() {
                batches.push(more);
            }
            tell(&broker, &writer, std::mem::take(&mut batches)).await;
        }
    }
}

/// Publishes batches and forgets them when the broker confirmed. What fails stays in its row.
pub(crate) async fn tell(broker: &Arc<dyn Broker>, writer: &Writer, batches: Vec<(Uuid, FinishedBatch)>) {
    let messages = batches.iter().flat_map(|(_, batch)| &batch.runs).filter_map(message).collect();
    if let Err(error) = broker.publish(Topic::RunFinished, messages).await {
        tracing::warn!(%error, batches = batches.len(), "ended runs can't be told, trying again later");
        return;
    }
    for (id, _) in batches {
        writer.told(id).await;
    }
}

/// A `CloudEvents` 1.0 message in structured mode. The same end of a run always has the same id.
fn message(run: &RunFinished) -> Option<Message> {
    let run_id = RunId::from_slice(&run.run_id).ok()?;
    let automation = AutomationId::from_slice(&run.automation_id).ok()?;
    let time = |micros| Timestamp::from_micros(micros).to_string();
    let mut id = run_id.to_string();
    // Writing into a string can't fail.
    let _ = write!(id, ".{}", run.epoch);
    let event = json!({
        "specversion": "1.0",
        "id": id,
        "source": format!("patchbay/workspaces/{}", run.workspace_id),
        "type": "patchbay.run.finished.v1",
        "subject": automation.to_string(),
        "time": time(run.finished_at),
        "datacontenttype": "application/json",
        "data": {
            "run_id": run_id.to_string(),
            "automation_id": automation.to_string(),
            "version": run.version,
            "event_id": run.event_id,
            "status": run.status,
            "started_at": time(run.started_at),
            "finished_at": time(run.finished_at),
            "error_class": (!run.error_class.is_empty()).then_some(&run.error_class),
        },
    });
    Some(Message {
        key: Bytes::from(automation.to_string()),
        headers: vec![("content-type".to_owned(), "application/cloudevents+json; charset=UTF-8".to_owned())],
        payload: Bytes::from(event.to_string()),
        tenant: run.workspace_id,
        route: format!("{}.{automation}.{}", run.workspace_id, run.status),
    })
}
