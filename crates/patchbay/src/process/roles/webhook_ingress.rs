//! The role `webhook-ingress`. It has no tables, and takes events while the database is away.

use std::sync::Arc;

use patchbay_service::{Installed, Role};

use super::{Recipe, Site};

pub(super) const RECIPE: Recipe =
    Recipe { needs: &[], package: Some("patchbay.event."), is_public: true, install: |site| Box::pin(install(site)) };

async fn install(site: &Site) -> anyhow::Result<Installed> {
    let installing = patchbay_webhook_ingress::role::install(
        &site.ground,
        site.config.ingress.clone(),
        Arc::clone(&site.catalog),
        site.peer(Role::Automation)?,
        site.peer(Role::Connection)?,
    );
    Ok(installing.await?)
}
