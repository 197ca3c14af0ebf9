//! The roles of one process, each over the ways to its peers.

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context, anyhow};
use axum::Router;
use patchbay_connector::Catalog;
use patchbay_egress::Egress;
use patchbay_gateway::Peers;
use patchbay_proto::Route;
use patchbay_service::{Check, Ground, Installed};
use patchbay_vault::KeyRing;

use crate::config::Config;

/// What the roles are made of together.
pub(super) struct Roles {
    /// The public HTTP surface.
    pub(super) public: Router,
    pub(super) checks: Vec<Check>,
    pub(super) connection: Route,
    pub(super) automation: Route,
}

/// What the roles stand on beside their ground.
pub(super) struct Outfit {
    pub(super) keys: KeyRing,
    pub(super) catalog: Arc<Catalog>,
    pub(super) egress: Egress,
    /// Where the public listener is.
    pub(super) public: SocketAddr,
}

/// Installs all roles, those first that others ask while they start.
pub(super) async fn install(ground: &Ground, config: &Config, outfit: Outfit) -> anyhow::Result<Roles> {
    let Outfit { keys, catalog, egress, public } = outfit;
    let mut parts = Parts::default();

    let installed = patchbay_connection::role::install_with(
        ground,
        keys,
        Arc::clone(&catalog),
        egress.clone(),
        config.connection.clone(),
    )
    .await?;
    let connection = parts.take("connection", installed)?;
    let installed = patchbay_automation::role::install(ground, Arc::clone(&catalog), connection.clone()).await?;
    let automation = parts.take("automation", installed)?;
    let (manifests, ways_out) = (Arc::clone(&catalog), egress.clone());
    let installed =
        patchbay_catalog::role::install(ground, config.catalog.clone(), manifests, ways_out, connection.clone())
            .await?;
    let lists = parts.take("catalog", installed)?;
    let manifests = Arc::clone(&catalog);
    let installed = patchbay_action_executor::role::install(
        ground,
        config.executor(),
        config.retention,
        catalog,
        egress,
        automation.clone(),
        connection.clone(),
    )
    .await?;
    let executor = parts.take("action-executor", installed)?;
    let (to_automation, to_connection) = (automation.clone(), connection.clone());
    let installed = patchbay_webhook_ingress::role::install(
        ground,
        config.ingress.clone(),
        manifests,
        to_automation,
        to_connection,
    )
    .await?;
    let events = parts.take("webhook-ingress", installed)?;
    let peers =
        Peers { connection: connection.clone(), automation: automation.clone(), catalog: lists, executor, events };
    let installed = patchbay_gateway::role::install(ground, config.gateway().or_listening_on(public), peers).await?;
    // Last, because it answers the paths that nobody knows.
    parts.take_http(installed);

    let Parts { public, checks } = parts;
    Ok(Roles { public, checks, connection, automation })
}

#[derive(Default)]
struct Parts {
    public: Router,
    checks: Vec<Check>,
}

impl Parts {
    /// Keeps what the process shows, and returns the way to the role.
    fn take(&mut self, role: &'static str, installed: Installed) -> anyhow::Result<Route> {
        let services = installed.services.clone().ok_or_else(|| anyhow!("it answers no calls"));
        self.take_http(installed);
        Ok(Route::local(services.with_context(|| format!("role {role} can't be reached"))?))
    }

    fn take_http(&mut self, installed: Installed) {
        if let Some(router) = installed.http {
            self.public = std::mem::take(&mut self.public).merge(router);
        }
        self.checks.extend(installed.checks);
    }
}
