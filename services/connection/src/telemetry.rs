//! What is worth telling the operator.

use patchbay_types::{ConnectionId, Fault, WorkspaceId, fault::Code};

use crate::{Error, domain::Finding};

pub(crate) fn created(workspace: WorkspaceId, connection: ConnectionId, partner: &str) {
    tracing::info!(%workspace, %connection, partner, "connection created");
}

pub(crate) fn updated(workspace: WorkspaceId, connection: ConnectionId) {
    tracing::info!(%workspace, %connection, "connection updated");
}

pub(crate) fn deleted(workspace: WorkspaceId, connection: ConnectionId) {
    tracing::info!(%workspace, %connection, "connection deleted");
}

pub(crate) fn refused_by_partner(connection: ConnectionId) {
    tracing::warn!(%connection, "partner refused the credential, connection needs reauthorization");
}

pub(crate) fn proven(connection: ConnectionId) {
    tracing::info!(%connection, "partner took the credential again, connection is active");
}

pub(crate) fn tested(connection: ConnectionId, finding: Finding) {
    tracing::info!(%connection, result = finding.name(), "connection tested");
}

pub(crate) fn disconnected(workspace: WorkspaceId, connection: ConnectionId) {
    tracing::info!(%workspace, %connection, "connection disconnected");
}

pub(crate) fn reactivated(workspace: WorkspaceId, connection: ConnectionId) {
    tracing::info!(%workspace, %connection, "connection reactivated");
}

pub(crate) fn fields_damaged(connection: ConnectionId) {
    tracing::error!(%connection, "stored fields can't be read, connection needs reauthorization");
}

pub(crate) fn secret_damaged(connection: ConnectionId, field: &str) {
    tracing::error!(%connection, field, "stored secret can't be opened, connection needs reauthorization");
}

pub(crate) fn hook_key_made(generation: u32) {
    tracing::info!(generation, "hook key made");
}

/// What the caller is told of an error; the rest is logged.
pub(crate) fn fault_of(error: Error) -> Fault {
    let fault = match &error {
        Error::Refused(fault) => return fault.clone(),
        Error::Store(store) => store.fault(),
        Error::Vault(patchbay_vault::Error::UnknownKey { .. } | patchbay_vault::Error::Version(_)) => Fault::new(
            Code::Unavailable,
            "a secret is sealed by a key or in a format that this process does not have yet",
        ),
        Error::MasterKeyReplaced { .. } => {
            Fault::new(Code::Unavailable, "this process has another master key than the others; the log says which")
        }
        Error::Config(_) | Error::Vault(_) | Error::Random(_) | Error::MasterKeyMissing { .. } => {
            Fault::new(Code::Internal, "a secret can't be sealed or opened; the log says why")
        }
    };
    if fault.code.retryable() {
        tracing::warn!(error = chain(&error), "connection request failed");
    } else {
        tracing::error!(error = chain(&error), "connection request failed");
    }
    fault
}

fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
