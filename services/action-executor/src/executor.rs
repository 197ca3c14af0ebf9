//! What all parts of the executor share.

use std::sync::Arc;

use patchbay_broker::Broker;
use patchbay_egress::Egress;
use patchbay_runtime::{Clock, Tasks, data_directory::Reserve};
use patchbay_service::credentials::Credentials;
use patchbay_types::Timestamp;

use crate::{
    config::{Config, Retention},
    definitions::Definitions,
    gate::Gates,
    lease::Lease,
    slots::Slots,
    store::Store,
    telemetry::Telemetry,
    writer::Writer,
};

/// One executor.
#[derive(Debug)]
pub(crate) struct Executor {
    pub(crate) config: Config,
    pub(crate) retention: Retention,
    pub(crate) clock: Clock,
    pub(crate) tasks: Tasks,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) reserve: Option<Reserve>,
    pub(crate) store: Store,
    pub(crate) writer: Writer,
    pub(crate) definitions: Definitions,
    pub(crate) credentials: Credentials,
    pub(crate) gates: Arc<Gates>,
    pub(crate) egress: Egress,
    pub(crate) lease: Lease,
    pub(crate) slots: Slots,
    pub(crate) telemetry: Arc<Telemetry>,
}

impl Executor {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whether the disk is full: what is under way is finished, nothing new is begun.
    pub(crate) fn is_short_of_disk(&self) -> bool {
        self.reserve.as_ref().is_some_and(Reserve::is_spent)
    }
}
