//! The role `gateway`. It is built last, because it answers the paths that nobody knows.

use anyhow::anyhow;
use patchbay_gateway::Peers;
use patchbay_service::{Installed, Role};

use super::{Need, Recipe, Site};

pub(super) const RECIPE: Recipe =
    Recipe { needs: &[Need::Database], package: None, is_public: true, install: |site| Box::pin(install(site)) };

async fn install(site: &Site) -> anyhow::Result<Installed> {
    let public = site.public.ok_or_else(|| anyhow!("there is no public listener"))?;
    let peers = Peers {
        connection: site.peer(Role::Connection)?,
        catalog: site.peer(Role::Catalog)?,
        automation: site.peer(Role::Automation)?,
        executor: site.peer(Role::ActionExecutor)?,
        events: site.peer(Role::WebhookIngress)?,
    };
    Ok(patchbay_gateway::role::install(&site.ground, site.config.gateway().or_listening_on(public), peers).await?)
}
