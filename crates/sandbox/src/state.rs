//! All that the sandbox remembers.

use std::sync::{Mutex, MutexGuard, PoisonError};

use patchbay_runtime::Clock;

use crate::altcraft::Altcraft;
use crate::crm::Crm;
use crate::faults::Faults;
use crate::requests::RequestLog;

/// Each part under a lock of its own, held for no longer than one change or one copy.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) clock: Clock,
    pub(crate) requests: Mutex<RequestLog>,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) altcraft: Mutex<Altcraft>,
    pub(crate) crm: Mutex<Crm>,
}

impl State {
    pub(crate) fn new(clock: Clock, contacts_from: u64) -> Self {
        Self {
            clock,
            requests: Mutex::default(),
            faults: Mutex::default(),
            altcraft: Mutex::default(),
            crm: Mutex::new(Crm::new(contacts_from)),
        }
    }

    /// Back to the start, but for registered webhooks. Numbers of requests and ids of faults, profiles and contacts go on,
    /// so that old ones never come again.
    pub(crate) fn reset(&self) {
        lock(&self.faults).clear();
        lock(&self.altcraft).clear();
        lock(&self.crm).clear();
        lock(&self.requests).clear();
    }
}

/// The guarded value, also after a panic elsewhere: a sandbox that stopped answering would hide the first failure.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
