//! The roles of one process: each is one file here that says what it needs and how it is built.

mod action_executor;
mod automation;
mod catalog;
mod connection;
mod gateway;
mod trigger_poller;
mod webhook_ingress;

use std::{net::SocketAddr, pin::Pin, sync::Arc};

use anyhow::anyhow;
use patchbay_connector::Catalog;
use patchbay_egress::Egress;
use patchbay_proto::Route;
use patchbay_service::{Ground, Installed, Role};
use patchbay_vault::KeyRing;

use crate::config::Config;

/// What the roles are built from.
pub(crate) struct Site {
    pub(crate) ground: Ground,
    pub(crate) config: Arc<Config>,
    /// Where the role `connection` runs.
    pub(super) keys: Option<KeyRing>,
    pub(super) catalog: Arc<Catalog>,
    pub(super) egress: Egress,
    /// Where the public listener is, if there is one.
    pub(crate) public: Option<SocketAddr>,
    /// The ways to those that are there already or run elsewhere.
    pub(super) routes: Vec<(Role, Route)>,
}

impl Site {
    /// The way to another role.
    pub(crate) fn peer(&self, role: Role) -> anyhow::Result<Route> {
        let found = self.routes.iter().find(|(known, _)| *known == role);
        found.map(|(_, route)| route.clone()).ok_or_else(|| anyhow!("there is no way to role {role}"))
    }
}

/// What must be there before a role is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Database,
    Broker,
}

impl Need {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Broker => "broker",
        }
    }
}

type Building<'site> = Pin<Box<dyn Future<Output = anyhow::Result<Installed>> + Send + 'site>>;

/// How a role is built.
#[derive(Clone, Copy)]
pub(crate) struct Recipe {
    pub(super) needs: &'static [Need],
    /// What the names of its gRPC services begin with.
    pub(super) package: Option<&'static str>,
    /// Whether it has a part of the public HTTP API.
    pub(crate) is_public: bool,
    pub(super) install: for<'site> fn(&'site Site) -> Building<'site>,
}

pub(crate) fn recipe(role: Role) -> Recipe {
    match role {
        Role::Connection => connection::RECIPE,
        Role::Automation => automation::RECIPE,
        Role::Catalog => catalog::RECIPE,
        Role::ActionExecutor => action_executor::RECIPE,
        Role::WebhookIngress => webhook_ingress::RECIPE,
        Role::TriggerPoller => trigger_poller::RECIPE,
        Role::Gateway => gateway::RECIPE,
    }
}
