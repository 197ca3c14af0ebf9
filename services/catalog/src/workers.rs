//! Drops what nobody will ask for any more.

use std::{sync::Arc, time::Duration};

use patchbay_runtime::{Clock, Shutdown};
use patchbay_types::{ConnectionId, Fault, WorkspaceId};

use crate::{
    peers::Connections,
    store::Store,
    telemetry::{Telemetry, store_failed},
};

/// A list that nobody asked for in this time is dropped.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(30 * 24);

/// Drops the lists of deleted connections, and those that nobody needs.
#[derive(Debug)]
pub(crate) struct Sweeper {
    pub(crate) store: Store,
    pub(crate) connections: Connections,
    pub(crate) clock: Clock,
    pub(crate) telemetry: Arc<Telemetry>,
}

impl Sweeper {
    /// Sweeps every `every` until the shutdown begins.
    pub(crate) async fn run(self, every: Duration, shutdown: Shutdown) {
        let mut revision = 0;
        loop {
            match shutdown.or(self.sweep(&mut revision)).await {
                None => return,
                Some(Ok(())) => self.telemetry.swept(),
                Some(Err(fault)) => self.telemetry.sweep_failed(&fault),
            }
            if shutdown.or(tokio::time::sleep(every)).await.is_none() {
                return;
            }
        }
    }

    /// Goes through the changes of connections from `revision` on, which it moves forward.
    async fn sweep(&self, revision: &mut i64) -> Result<(), Fault> {
        loop {
            let changes = self.connections.changes_since(*revision).await?;
            if changes.connections.is_empty() {
                *revision = changes.revision;
                break;
            }
            let deleted = changes.connections.iter().filter(|connection| connection.status == "deleted");
            let deleted: Vec<_> = deleted
                .map(|connection| (WorkspaceId::new(connection.workspace_id), ConnectionId::new(connection.id)))
                .collect();
            self.drop_lists(deleted).await.map_err(|error| store_failed(&error))?;
            *revision = changes.revision;
        }
        let forgotten = self.clock.now().before(FORGOTTEN_AFTER);
        self.store.drop_old(forgotten).await.map_err(|error| store_failed(&error))
    }

    async fn drop_lists(&self, mut deleted: Vec<(WorkspaceId, ConnectionId)>) -> Result<(), patchbay_store::Error> {
        if deleted.is_empty() {
            return Ok(());
        }
        let kept = self.store.connections().await?;
        deleted.retain(|connection| kept.contains(connection));
        if deleted.is_empty() { Ok(()) } else { self.store.drop_connections(&deleted).await }
    }
}
