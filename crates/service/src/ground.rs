//! What a role is built from, and what it is made of when it is built.

use std::{fmt, sync::Arc};

use axum::Router;
use patchbay_broker::Broker;
use patchbay_runtime::{Clock, Tasks, data_directory::Reserve, telemetry::Metrics};
use patchbay_store::Engine;
use tonic::service::Routes;

/// What every role stands on. Nothing else is ambient.
#[derive(Debug, Clone)]
pub struct Ground {
    /// The time.
    pub clock: Clock,
    /// Where tasks are started; holds the shutdown.
    pub tasks: Tasks,
    /// Where metrics are registered.
    pub metrics: Metrics,
    /// The database.
    pub engine: Engine,
    /// The broker.
    pub broker: Arc<dyn Broker>,
    /// The data directory's disk reserve, where there is a data directory.
    pub reserve: Option<Reserve>,
}

/// A role that was built.
#[derive(Debug, Default)]
pub struct Installed {
    /// Its gRPC services for peers, internal ones included. Never on a public listener.
    pub services: Option<Routes>,
    /// Its part of the public HTTP listener.
    pub http: Option<Router>,
    /// What must be true for it to be ready.
    pub checks: Vec<Check>,
}

/// One condition of readiness. It says why when it does not hold.
pub struct Check {
    name: &'static str,
    probe: Box<dyn Fn() -> Verdict + Send + Sync>,
}

/// How it is with a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Holds,
    /// It holds well enough to go on, though not as it should, for this reason.
    Degraded(String),
    /// It does not hold, for this reason.
    Fails(String),
}

impl From<Result<(), String>> for Verdict {
    fn from(verdict: Result<(), String>) -> Self {
        verdict.map_or_else(Self::Fails, |()| Self::Holds)
    }
}

impl Check {
    /// A condition with its name. `probe` must not block.
    pub fn new<V: Into<Verdict>>(name: &'static str, probe: impl Fn() -> V + Send + Sync + 'static) -> Self {
        Self { name, probe: Box::new(move || probe().into()) }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// How it is now.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        (self.probe)()
    }

    /// Whether it holds now, well or badly.
    ///
    /// # Errors
    /// Why it does not.
    pub fn holds(&self) -> Result<(), String> {
        match self.verdict() {
            Verdict::Holds | Verdict::Degraded(_) => Ok(()),
            Verdict::Fails(reason) => Err(reason),
        }
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Check").field(&self.name).finish()
    }
}
