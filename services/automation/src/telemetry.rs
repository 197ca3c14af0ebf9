//! What the service tells its operator, each as a named event.

use patchbay_types::{AutomationId, WorkspaceId};

pub(crate) fn published(workspace: WorkspaceId, automation: AutomationId, version: i64) {
    tracing::info!(%workspace, %automation, version, "automation published");
}

pub(crate) fn status_changed(workspace: WorkspaceId, automation: AutomationId, status: &'static str) {
    tracing::info!(%workspace, %automation, status, "automation status changed");
}

pub(crate) fn deleted(workspace: WorkspaceId, automation: AutomationId) {
    tracing::info!(%workspace, %automation, "automation deleted");
}

/// The caller is told less than this.
pub(crate) fn store_failed(method: &'static str, error: &patchbay_store::Error) {
    tracing::error!(method, error = error.chain(), "automation store failed");
}
