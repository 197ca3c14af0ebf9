//! The listener for peers.

mod catalogue;
mod gate;
mod health;
mod listen;

use std::{sync::Arc, time::Duration};

use axum::middleware;
use patchbay_runtime::Shutdown;
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic_health::pb::health_server::HealthServer;

use self::{catalogue::Catalogue, health::Health, listen::Listener};
use crate::{
    Check,
    access::{self, Access},
};

pub(crate) use self::gate::REFUSED;

/// Why peers can't be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Where it listens does not fit its access.
    #[error(transparent)]
    Access(#[from] access::Error),
    /// The listener has no address.
    #[error("the listener for peers does not know its address")]
    Listener(#[source] std::io::Error),
    /// A defect of ours.
    #[error("the descriptors of the gRPC services can't be read")]
    Descriptors(#[from] tonic_reflection::server::Error),
}

/// Serves peers until the shutdown, then lets calls under way end for at most `grace`.
///
/// `services` are those of all roles of this process; each needs the service token. Health and reflection are open to
/// all, but who shows a token must show the right one. Health is what `checks` say, of the whole process (empty name) and
/// of each service that is here; reflection lists what is here. Without `access` only health and reflection are served.
///
/// # Errors
/// When the listener's address needs TLS and there is none.
pub async fn serve(
    listener: TcpListener,
    services: Routes,
    access: Option<Access>,
    checks: Arc<Vec<Check>>,
    shutdown: Shutdown,
    grace: Duration,
) -> Result<(), Error> {
    let address = listener.local_addr().map_err(Error::Listener)?;
    let services = match &access {
        Some(access) => {
            access.may_listen(address)?;
            services
        }
        None => Routes::default(),
    };
    let catalogue = Catalogue::of(services.clone());
    let health = Health::new(checks, catalogue.clone(), shutdown.clone());
    let mut router =
        services.add_service(HealthServer::new(health)).add_service(catalogue.reflection()?).into_axum_router();
    if let Some(access) = &access {
        router = router.layer(middleware::from_fn_with_state(access.token.clone(), gate::check));
    }
    let tls = access.and_then(|access| access.tls);
    Listener::new(listener, tls, router).run(shutdown, grace).await;
    Ok(())
}
