//! How the service is put together.

use std::sync::Arc;

use patchbay_proto::Route;
use patchbay_service::{Check, Ground, Installed};
use tokio::sync::Semaphore;

use crate::{
    Config, Error,
    body::Bounds,
    http::{self, Ingress, LARGE_AT_ONCE},
    sources::Sources,
    telemetry::Telemetry,
    workers,
};

/// Builds the service: the route `/hooks/{token}`, and a task that keeps its sources fresh. `automation` and `connection`
/// lead to the peers' internal services; they are asked from the task only, so they may start later.
///
/// # Errors
/// When a value of the configuration can't work.
pub async fn install(
    ground: &Ground,
    config: Config,
    automation: Route,
    connection: Route,
) -> Result<Installed, Error> {
    config.check()?;
    let sources = Arc::new(Sources::new(automation, connection, ground.clock.clone()));
    let telemetry = Arc::new(Telemetry::new(&ground.metrics));
    let shutdown = ground.tasks.shutdown().clone();
    let fresh = workers::keep_fresh(Arc::clone(&sources), Arc::clone(&telemetry), config.refresh, shutdown);
    ground.tasks.spawn("refresh of hook sources", fresh);
    let ingress = Ingress {
        sources: Arc::clone(&sources),
        telemetry,
        broker: Arc::clone(&ground.broker),
        reserve: ground.reserve.clone(),
        clock: ground.clock.clone(),
        bounds: Bounds::new(config.max_body_bytes, config.body_deadline, config.in_flight_bytes),
        large: Arc::new(Semaphore::new(LARGE_AT_ONCE)),
        dedupe_window: config.dedupe_window,
    };
    let loaded = Check::new("hook sources", move || match sources.are_loaded() {
        true => Ok(()),
        false => Err("not loaded yet".to_owned()),
    });
    Ok(Installed { services: None, http: Some(http::router(Arc::new(ingress))), checks: vec![loaded] })
}
