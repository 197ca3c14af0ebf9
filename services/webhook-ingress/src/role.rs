//! How the service is put together.

use std::{sync::Arc, time::Duration};

use patchbay_connector::Catalog;
use patchbay_proto::{Route, event::v1::event_service_server::EventServiceServer};
use patchbay_service::{Check, Ground, Installed, credentials::Credentials};
use tonic::service::Routes;

use crate::{
    Config, Error,
    body::Bounds,
    grpc::Events,
    http::{self, Ingress},
    sources::Sources,
    tail::Tail,
    telemetry::Telemetry,
    workers,
    workshop::Workshop,
};

/// How long a credential is held.
const HOLD: Duration = Duration::from_mins(5);
/// How old what is known of sources may be, at least, before this process counts as one that makes no progress.
const FRESH_FOR: Duration = Duration::from_secs(10);
/// The largest request with published events, in bytes.
const LARGEST_REQUEST: usize = 32 * 1024 * 1024;

/// Builds the service: the route `/hooks/{token}`, the service of published events, and a task that keeps its sources fresh. `automation` and `connection`
/// lead to the peers' internal services, which may start later. `catalog` has the triggers of partners.
///
/// # Errors
/// When a value of the configuration can't work.
pub async fn install(
    ground: &Ground,
    config: Config,
    catalog: Arc<Catalog>,
    automation: Route,
    connection: Route,
) -> Result<Installed, Error> {
    config.check()?;
    let credentials = Arc::new(Credentials::new(connection.clone(), ground.clock.clone(), HOLD));
    let sources = Arc::new(Sources::new(catalog, automation, connection, ground.clock.clone()));
    let telemetry = Arc::new(Telemetry::new(&ground.metrics));
    let shutdown = ground.tasks.shutdown().clone();
    let (refreshed, held) = (Arc::clone(&sources), Arc::clone(&credentials));
    let fresh = workers::keep_fresh(refreshed, held, Arc::clone(&telemetry), config.refresh, shutdown);
    ground.tasks.spawn("refresh of hook sources", fresh);
    let ingress = Arc::new(Ingress {
        sources: Arc::clone(&sources),
        credentials,
        telemetry,
        broker: Arc::clone(&ground.broker),
        reserve: ground.reserve.clone(),
        clock: ground.clock.clone(),
        bounds: Bounds::new(config.max_body_bytes, config.body_deadline, config.in_flight_bytes),
        workshop: Workshop::new(config.in_flight_bytes),
        dedupe_window: config.dedupe_window,
        tail: Tail::default(),
    });
    let events = Events { ingress: Arc::clone(&ingress), shutdown: ground.tasks.shutdown().clone() };
    let service = EventServiceServer::new(events).max_decoding_message_size(LARGEST_REQUEST);
    let age = FRESH_FOR.max(4 * config.refresh);
    let fresh = Check::new("hook sources", move || sources.are_fresh(age));
    Ok(Installed { services: Some(Routes::new(service)), http: Some(http::router(ingress)), checks: vec![fresh] })
}
