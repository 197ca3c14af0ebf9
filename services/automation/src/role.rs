//! How the service is put together.

use std::sync::Arc;

use patchbay_connector::Catalog;
use patchbay_proto::{
    Route,
    automation::{
        internal::v1::automation_internal_service_server::AutomationInternalServiceServer,
        v1::automation_service_server::AutomationServiceServer,
    },
};
use patchbay_service::{Check, Ground, Installed};
use tonic::service::Routes;

use crate::{
    Error,
    grpc::Server,
    operations::Automations,
    peers::{Connections, SigningKey},
    store::Store,
};

/// The largest message that is taken, in bytes: a definition, whose numbers may have become longer on the way.
const LARGEST_REQUEST: usize = 16 * 1024 * 1024;

/// Builds the role. `connection` leads to the connection service, which may start later: it holds the key that hook tokens
/// are made with, and until it gives one nothing is shown or changed.
///
/// # Errors
/// When the tables can't be brought up to date.
pub async fn install(ground: &Ground, catalog: Arc<Catalog>, connection: Route) -> Result<Installed, Error> {
    let store = Store::open(ground.engine.clone()).await?;
    let hook_key = Arc::new(SigningKey::new(connection.clone()));
    ground.tasks.spawn("fetch of the hook key", Arc::clone(&hook_key).fetch(ground.tasks.shutdown().clone()));
    let known = Arc::clone(&hook_key);
    let automations = Automations {
        store,
        catalog,
        hook_key,
        connections: Connections::new(connection),
        clock: ground.clock.clone(),
    };
    let server = Server(Arc::new(automations));
    let public = AutomationServiceServer::new(server.clone()).max_decoding_message_size(LARGEST_REQUEST);
    let services = Routes::new(public).add_service(AutomationInternalServiceServer::new(server));
    let checks = vec![Check::new("hook key", move || known.is_known())];
    Ok(Installed { services: Some(services), checks, ..Installed::default() })
}
