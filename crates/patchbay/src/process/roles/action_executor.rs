//! The role `action-executor`.

use std::sync::Arc;

use patchbay_service::{Installed, Role};

use super::{Need, Recipe, Site};

pub(super) const RECIPE: Recipe = Recipe {
    needs: &[Need::Database, Need::Broker],
    package: Some("patchbay.executor."),
    is_public: false,
    install: |site| Box::pin(install(site)),
};

async fn install(site: &Site) -> anyhow::Result<Installed> {
    let installing = patchbay_action_executor::role::install(
        &site.ground,
        site.config.executor(),
        site.config.retention,
        Arc::clone(&site.catalog),
        site.egress.clone(),
        site.peer(Role::Automation)?,
        site.peer(Role::Connection)?,
    );
    Ok(installing.await?)
}
