//! What operators see of the service.

use std::sync::atomic::{AtomicBool, Ordering};

use patchbay_runtime::telemetry::Metrics;
use patchbay_types::fault::Code;
use prometheus_client::metrics::{counter::Counter, family::Family};

use crate::sources::Trouble;

type Labels = [(&'static str, &'static str); 1];

/// Counters, and what is said once instead of for every request.
#[derive(Debug)]
pub(crate) struct Telemetry {
    accepted: Counter,
    bytes: Counter,
    unwanted: Counter,
    no_automation: Counter,
    refused: Family<Labels, Counter>,
    broker_fails: AtomicBool,
    peers_fail: AtomicBool,
}

impl Telemetry {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        Self {
            accepted: metrics.register("ingress_events_accepted", "Events that are durable", Counter::default()),
            bytes: metrics.register("ingress_bytes_accepted", "Bytes of bodies of accepted events", Counter::default()),
            unwanted: metrics.register(
                "ingress_requests_unwanted",
                "Requests taken of which a trigger wanted nothing",
                Counter::default(),
            ),
            no_automation: metrics.register(
                "ingress_events_no_automation",
                "Published events that no trigger wants",
                Counter::default(),
            ),
            refused: metrics.register("ingress_events_refused", "Requests refused, by code", Family::default()),
            broker_fails: AtomicBool::new(false),
            peers_fail: AtomicBool::new(false),
        }
    }

    /// A request was taken that became so many events.
    pub(crate) fn accepted(&self, events: usize, bytes: usize) {
        if events == 0 {
            self.unwanted.inc();
            return;
        }
        self.accepted.inc_by(u64::try_from(events).unwrap_or(u64::MAX));
        self.bytes.inc_by(u64::try_from(bytes).unwrap_or(u64::MAX));
        if self.broker_fails.load(Ordering::Relaxed) && self.broker_fails.swap(false, Ordering::Relaxed) {
            tracing::info!("broker confirms events again");
        }
    }

    /// A published event fires no trigger: it is counted and forgotten.
    pub(crate) fn no_automation(&self) {
        self.no_automation.inc();
    }

    pub(crate) fn refused(&self, code: Code) {
        self.refused.get_or_create(&[("code", code.name())]).inc();
    }

    pub(crate) fn broker_failed(&self, reason: &str) {
        if !self.broker_fails.swap(true, Ordering::Relaxed) {
            tracing::warn!(reason, "broker confirms no events: hooks are answered with an error until it does");
        }
    }

    pub(crate) fn refreshed(&self) {
        if self.peers_fail.swap(false, Ordering::Relaxed) {
            tracing::info!("sources are known again");
        }
    }

    pub(crate) fn refresh_failed(&self, Trouble(reason): &Trouble) {
        if !self.peers_fail.swap(true, Ordering::Relaxed) {
            tracing::warn!(reason, "sources can't be asked for what changed");
        }
    }
}
