//! What the executor counts.

use patchbay_runtime::telemetry::Metrics;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
};

use crate::store::{Changes, Written};

/// Why an event starts no run.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Reason {
    reason: &'static str,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Status {
    status: &'static str,
}

/// How a call ended: `succeeded`, or the class of its error.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Outcome {
    outcome: &'static str,
}

/// The executor's metrics.
#[derive(Debug)]
pub(crate) struct Telemetry {
    pub(crate) discards: Family<Reason, Counter>,
    pub(crate) duplicates: Counter,
    pub(crate) dead_letters: Counter,
    pub(crate) lost: Counter,
    pub(crate) leases_lost: Counter,
    pub(crate) open_runs: Gauge,
    pub(crate) oldest_open_seconds: Gauge,
    opened: Counter,
    ended: Family<Status, Counter>,
    transactions: Counter,
    calls: Family<Outcome, Counter>,
}

impl Telemetry {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let counter = |name, help| metrics.register(name, help, Counter::default());
        Self {
            discards: metrics.register("events_discarded", "Events that start no run, by reason", Family::default()),
            duplicates: counter("events_duplicate", "Events that had their run already"),
            dead_letters: counter("dead_letters", "Events and runs that need a person"),
            lost: counter("runs_lost", "Changes not written because another process had taken the run"),
            leases_lost: counter("leases_lost", "Times that this process was declared dead and began anew"),
            open_runs: metrics.register("runs_open", "Runs that are not over, counted up to 10,000", Gauge::default()),
            oldest_open_seconds: metrics.register(
                "runs_open_oldest_seconds",
                "Age of the oldest run that is not over",
                Gauge::default(),
            ),
            opened: counter("runs_opened", "Runs begun"),
            ended: metrics.register("runs_ended", "Runs that are over, by status", Family::default()),
            transactions: counter("run_transactions", "Transactions that wrote runs"),
            calls: metrics.register("partner_calls", "Calls to partners, by how they ended", Family::default()),
        }
    }

    /// Counts an event that starts no run.
    pub(crate) fn discarded(&self, reason: &'static str) {
        self.discards.get_or_create(&Reason { reason }).inc();
    }

    /// Counts a call.
    pub(crate) fn called(&self, outcome: &'static str) {
        self.calls.get_or_create(&Outcome { outcome }).inc();
    }

    /// Counts what a transaction wrote.
    pub(crate) fn written(&self, changes: &Changes<'_>, written: &Written) {
        self.transactions.inc();
        self.opened.inc_by(written.opened.len() as u64);
        self.duplicates.inc_by((changes.opens.len() - written.opened.len() - written.refused.len()) as u64);
        self.lost.inc_by(written.lost.len() as u64);
        for row in &changes.ends {
            self.ended.get_or_create(&Status { status: row.status }).inc();
            if row.dead.is_some() {
                self.dead_letters.inc();
            }
        }
    }
}
