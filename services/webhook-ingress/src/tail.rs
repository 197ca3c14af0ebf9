//! A look at what this process accepts, for those who test a sender. It costs nothing while nobody looks. What other
//! processes of this service accept is not seen here.

use std::sync::Arc;

use patchbay_broker::Message;
use patchbay_proto::event::v1::{TailedEvent, TriggerFired};
use patchbay_types::WorkspaceId;
use prost::Message as _;
use tokio::sync::broadcast::{self, error::RecvError};

use crate::domain::Source;

/// Events that a slow reader may be behind before it misses some.
const BEHIND: usize = 256;

/// Where accepted events are shown.
#[derive(Debug, Clone)]
pub(crate) struct Tail(broadcast::Sender<(WorkspaceId, TailedEvent)>);

/// One reader.
#[derive(Debug)]
pub(crate) struct Reader {
    workspace: WorkspaceId,
    events: broadcast::Receiver<(WorkspaceId, TailedEvent)>,
}

impl Default for Tail {
    fn default() -> Self {
        Self(broadcast::channel(BEHIND).0)
    }
}

impl Tail {
    pub(crate) fn is_watched(&self) -> bool {
        self.0.receiver_count() > 0
    }

    /// Shows events that are durable.
    pub(crate) fn show(&self, accepted: &[(Arc<Source>, Message)]) {
        for (source, message) in accepted {
            let Ok(fired) = TriggerFired::decode(message.payload.clone()) else { continue };
            let event = TailedEvent {
                source_id: fired.source_id,
                event_id: fired.event_id,
                operation: source.operation.clone(),
                accepted_at: fired.accepted_at,
                payload: fired.payload,
            };
            // Nobody looks any more.
            let _ = self.0.send((source.workspace, event));
        }
    }

    pub(crate) fn reader(&self, workspace: WorkspaceId) -> Reader {
        Reader { workspace, events: self.0.subscribe() }
    }
}

impl Reader {
    /// The next event of the workspace. Those that were missed are left out.
    pub(crate) async fn next(&mut self) -> Option<TailedEvent> {
        loop {
            match self.events.recv().await {
                Ok((workspace, event)) if workspace == self.workspace => return Some(event),
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    }
}
