//! The role `catalog`.

use std::sync::Arc;

use patchbay_service::{Installed, Role};

use super::{Need, Recipe, Site};

pub(super) const RECIPE: Recipe = Recipe {
    needs: &[Need::Database],
    package: Some("patchbay.catalog."),
    is_public: false,
    install: |site| Box::pin(install(site)),
};

async fn install(site: &Site) -> anyhow::Result<Installed> {
    let (config, catalog, egress) = (site.config.catalog.clone(), Arc::clone(&site.catalog), site.egress.clone());
    let connection = site.peer(Role::Connection)?;
    Ok(patchbay_catalog::role::install(&site.ground, config, catalog, egress, connection).await?)
}
