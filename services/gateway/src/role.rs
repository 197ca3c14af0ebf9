//! How the service is put together.

use std::sync::Arc;

use patchbay_proto::Route;
use patchbay_service::{Ground, Installed};

use crate::{
    Config, Error,
    brake::Brake,
    http::{self, Gateway},
    passwords::Passwords,
    sessions::Sessions,
    store::{self, Store},
    users::Door,
    workers,
};

/// The ways to those whom the gateway asks.
#[derive(Debug, Clone)]
pub struct Peers {
    /// To the connection service.
    pub connection: Route,
    /// To the catalog service.
    pub catalog: Route,
    /// To the automation service.
    pub automation: Route,
    /// To the executor.
    pub executor: Route,
    /// To the ingress, which takes events in.
    pub events: Route,
}

/// Builds the service: the public HTTP API, with the answers to paths that nobody knows, and a task that deletes what has
/// had its time. `config` must have a public URL, see [`Config::or_listening_on`].
///
/// # Errors
/// When a value of the configuration can't work, or the tables can't be brought up to date.
pub async fn install(ground: &Ground, config: Config, peers: Peers) -> Result<Installed, Error> {
    let (base, token_life) = (config.base()?, config.token_life()?);
    store::migrate(&ground.engine).await?;
    let store = Store::new(ground.engine.clone());
    let sweep = workers::sweep(store.clone(), ground.clock.clone(), ground.tasks.shutdown().clone());
    ground.tasks.spawn("deletion of expired tokens and answers", sweep);
    let door = Door {
        store: store.clone(),
        clock: ground.clock.clone(),
        passwords: Passwords::new(),
        brake: Brake::default(),
        token_life,
    };
    let gateway = Gateway {
        door,
        sessions: Sessions::new(store.clone(), ground.clock.clone()),
        store,
        clock: ground.clock.clone(),
        tasks: ground.tasks.clone(),
        peers,
        base,
    };
    Ok(Installed { services: None, http: Some(http::router(Arc::new(gateway))), checks: Vec::new() })
}
