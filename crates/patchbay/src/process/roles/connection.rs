//! The role `connection`.

use std::sync::Arc;

use anyhow::anyhow;
use patchbay_service::Installed;

use super::{Need, Recipe, Site};

pub(super) const RECIPE: Recipe = Recipe {
    needs: &[Need::Database],
    package: Some("patchbay.connection."),
    is_public: false,
    install: |site| Box::pin(install(site)),
};

async fn install(site: &Site) -> anyhow::Result<Installed> {
    let keys = site.keys.clone().ok_or_else(|| anyhow!("there are no master keys"))?;
    let (catalog, egress, config) = (Arc::clone(&site.catalog), site.egress.clone(), site.config.connection.clone());
    Ok(patchbay_connection::role::install_with(&site.ground, keys, catalog, egress, config).await?)
}
