//! How the service is put together.

use std::sync::Arc;

use patchbay_connector::Catalog;
use patchbay_egress::Egress;
use patchbay_proto::{Route, catalog::v1::catalog_service_server::CatalogServiceServer};
use patchbay_service::{Ground, Installed};
use tonic::service::Routes;

use crate::{
    Config, Error, asking::Asker, flights::Flights, grpc::Server, lists::Lists, operations::Directory,
    peers::Connections, store::Store, telemetry::Telemetry, workers::Sweeper,
};

/// The largest message that is taken, in bytes: more than an input may have, so that a larger one is told so.
const LARGEST_REQUEST: usize = 8 * 1024 * 1024;

/// Builds the role. `connection` leads to the connection service, `egress` to the partners.
///
/// # Errors
/// When a value of the configuration can't work, or the tables can't be brought up to date.
pub async fn install(
    ground: &Ground,
    config: Config,
    catalog: Arc<Catalog>,
    egress: Egress,
    connection: Route,
) -> Result<Installed, Error> {
    config.check()?;
    let store = Store::open(ground.engine.clone()).await?;
    let connections = Connections::new(connection);
    let telemetry = Arc::new(Telemetry::new(&ground.metrics));
    let sweeper = Sweeper {
        store: store.clone(),
        connections: connections.clone(),
        clock: ground.clock.clone(),
        telemetry: Arc::clone(&telemetry),
    };
    ground
        .tasks
        .spawn("deletion of lists that nobody needs", sweeper.run(config.sweep_every, ground.tasks.shutdown().clone()));
    let asker = Asker {
        egress,
        connections: connections.clone(),
        timeout: config.list_timeout,
        max_options: config.max_options,
    };
    let lists = Lists {
        store,
        asker,
        flights: Flights::new(ground.tasks.clone()),
        clock: ground.clock.clone(),
        telemetry,
        keep: config.lists_keep,
    };
    let directory = Directory { catalog, connections, lists: Arc::new(lists) };
    let server = CatalogServiceServer::new(Server(Arc::new(directory))).max_decoding_message_size(LARGEST_REQUEST);
    let services = Routes::new(server);
    Ok(Installed { services: Some(services), ..Installed::default() })
}
