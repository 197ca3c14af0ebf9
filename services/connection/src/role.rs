//! The role `connection`: its wiring.

use std::sync::Arc;

use patchbay_connector::Catalog;
use patchbay_egress::Egress;
use patchbay_proto::connection::{
    internal::v1::connection_internal_service_server::ConnectionInternalServiceServer,
    v1::connection_service_server::ConnectionServiceServer,
};
use patchbay_service::{Ground, Installed};
use patchbay_vault::KeyRing;
use tonic::service::Routes;

use crate::{
    Config, Error,
    grpc::{Internal, Public},
    operations::Connections,
    store::Store,
};

/// The largest message that is taken, in bytes: more than fields may have, so that larger ones are told so.
const LARGEST_REQUEST: usize = 8 * 1024 * 1024;

/// Brings the tables up to date, checks that `keys` are those that sealed what is stored, and builds the services.
/// `egress` leads to the partners.
///
/// # Errors
/// When the database can't be used, or was sealed by other master keys; the message names both fingerprints.
pub async fn install(
    ground: &Ground,
    keys: KeyRing,
    catalog: Arc<Catalog>,
    egress: Egress,
) -> Result<Installed, Error> {
    install_with(ground, keys, catalog, egress, Config::default()).await
}

/// The same with other settings.
///
/// # Errors
/// As for [`install`], and when a value of the settings can't work.
pub async fn install_with(
    ground: &Ground,
    keys: KeyRing,
    catalog: Arc<Catalog>,
    egress: Egress,
    config: Config,
) -> Result<Installed, Error> {
    config.check()?;
    let store = Store::open(ground.engine.clone()).await?;
    let connections = Arc::new(Connections { store, keys, catalog, clock: ground.clock.clone(), egress, config });
    connections.prepare_keys().await?;
    let public = ConnectionServiceServer::new(Public(Arc::clone(&connections)));
    let services = Routes::new(public.max_decoding_message_size(LARGEST_REQUEST))
        .add_service(ConnectionInternalServiceServer::new(Internal(connections)));
    Ok(Installed { services: Some(services), ..Installed::default() })
}
