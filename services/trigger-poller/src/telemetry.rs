//! What operators see of the service.

use std::sync::atomic::{AtomicBool, Ordering};

use patchbay_runtime::telemetry::Metrics;
use patchbay_types::Fault;
use prometheus_client::metrics::gauge::Gauge;

/// One gauge, and what is said once instead of at every reading.
#[derive(Debug)]
pub(crate) struct Telemetry {
    sources: Gauge,
    neglected: AtomicBool,
    fails: AtomicBool,
}

impl Telemetry {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let sources = metrics.register("poller_sources", "Sources of the mode poll", Gauge::default());
        Self { sources, neglected: AtomicBool::new(false), fails: AtomicBool::new(false) }
    }

    pub(crate) fn read(&self, sources: usize) {
        self.sources.set(i64::try_from(sources).unwrap_or(i64::MAX));
        if self.fails.swap(false, Ordering::Relaxed) {
            tracing::info!("sources of automation can be read again");
        }
        if sources > 0 && !self.neglected.swap(true, Ordering::Relaxed) {
            tracing::error!(sources, "there are polled sources, and this version polls nothing");
        }
    }

    pub(crate) fn failed(&self, fault: &Fault) {
        if !self.fails.swap(true, Ordering::Relaxed) {
            tracing::warn!(code = fault.code.name(), reason = fault.message, "sources of automation can't be read");
        }
    }
}
