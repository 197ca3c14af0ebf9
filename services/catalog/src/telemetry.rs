//! What the service tells its operator, each as a named event.

use std::sync::atomic::{AtomicBool, Ordering};

use patchbay_runtime::telemetry::Metrics;
use patchbay_types::{ConnectionId, Fault};
use prometheus_client::metrics::{counter::Counter, family::Family};

type Labels = [(&'static str, &'static str); 1];

/// Counters, and what is said once instead of every time.
#[derive(Debug)]
pub(crate) struct Telemetry {
    asked: Family<Labels, Counter>,
    sweep_fails: AtomicBool,
}

impl Telemetry {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let asked = metrics.register("catalog_lists_asked", "Lists asked of partners, by outcome", Family::default());
        Self { asked, sweep_fails: AtomicBool::new(false) }
    }

    pub(crate) fn list_asked(&self, connection: ConnectionId, list: &str, options: usize) {
        tracing::debug!(%connection, list, options, "list asked of the partner");
        self.asked.get_or_create(&[("outcome", "ok")]).inc();
    }

    pub(crate) fn list_failed(&self, connection: ConnectionId, list: &str, fault: &Fault) {
        tracing::info!(%connection, list, code = fault.code.name(), reason = fault.message, "list can't be had");
        self.asked.get_or_create(&[("outcome", fault.code.name())]).inc();
    }

    pub(crate) fn swept(&self) {
        if self.sweep_fails.swap(false, Ordering::Relaxed) {
            tracing::info!("lists of deleted connections are dropped again");
        }
    }

    pub(crate) fn sweep_failed(&self, fault: &Fault) {
        if !self.sweep_fails.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                code = fault.code.name(),
                reason = fault.message,
                "lists of deleted connections can't be dropped"
            );
        }
    }
}

pub(crate) fn credential_refused(connection: ConnectionId) {
    tracing::warn!(%connection, "partner refused the credential");
}

pub(crate) fn refusal_not_reported(connection: ConnectionId, reason: &str) {
    tracing::warn!(%connection, reason, "refused credential can't be reported");
}

pub(crate) fn list_not_kept(connection: ConnectionId, list: &str, error: &patchbay_store::Error) {
    tracing::warn!(%connection, list, error = error.chain(), "list can't be kept, it will be asked for again");
}

/// What the caller is told of a failure of the database; the rest is logged.
pub(crate) fn store_failed(error: &patchbay_store::Error) -> Fault {
    tracing::error!(error = error.chain(), "catalog store failed");
    error.fault()
}
