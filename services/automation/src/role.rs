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
use patchbay_service::{Ground, Installed};
use tonic::service::Routes;

use crate::{
    Error,
    grpc::Server,
    operations::Automations,
    peers::{self, Connections},
    store::Store,
};

/// Builds the role. `connection` leads to the connection service, which must answer already: it holds the key that hook
/// tokens are made with.
///
/// # Errors
/// When the tables can't be brought up to date, or there is no such key.
pub async fn install(ground: &Ground, catalog: Arc<Catalog>, connection: Route) -> Result<Installed, Error> {
    let automations = Automations {
        store: Store::open(ground.engine.clone()).await?,
        catalog,
        hook_key: peers::signing_key(connection.clone()).await?,
        connections: Connections::new(connection),
        clock: ground.clock.clone(),
    };
    let server = Server(Arc::new(automations));
    let services = Routes::new(AutomationServiceServer::new(server.clone()))
        .add_service(AutomationInternalServiceServer::new(server));
    Ok(Installed { services: Some(services), ..Installed::default() })
}
