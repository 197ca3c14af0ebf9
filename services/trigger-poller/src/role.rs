//! Wiring.

use std::sync::Arc;

use patchbay_proto::Route;
use patchbay_service::{Check, Ground, Installed};

use crate::{
    Config, Error,
    sources::{Reader, Verdict},
    telemetry::Telemetry,
    workers,
};

/// Builds the role: a task that follows the sources of `automation`, which may start later.
///
/// # Errors
/// When a value of the configuration can't work.
pub fn install(ground: &Ground, config: &Config, automation: Route) -> Result<Installed, Error> {
    config.check()?;
    let verdict = Arc::new(Verdict::default());
    let (reader, telemetry) = (Reader::new(automation), Telemetry::new(&ground.metrics));
    let shutdown = ground.tasks.shutdown().clone();
    let fresh = workers::keep_fresh(reader, Arc::clone(&verdict), telemetry, config.refresh, shutdown);
    ground.tasks.spawn("refresh of polled sources", fresh);
    let readable = Check::new("polled sources", move || verdict.get());
    Ok(Installed { checks: vec![readable], ..Installed::default() })
}
