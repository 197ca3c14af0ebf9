//! The role `automation`.

use std::sync::Arc;

use patchbay_service::{Installed, Role};

use super::{Need, Recipe, Site};

pub(super) const RECIPE: Recipe = Recipe {
    needs: &[Need::Database],
    package: Some("patchbay.automation."),
    is_public: false,
    install: |site| Box::pin(install(site)),
};

async fn install(site: &Site) -> anyhow::Result<Installed> {
    let connection = site.peer(Role::Connection)?;
    Ok(patchbay_automation::role::install(&site.ground, Arc::clone(&site.catalog), connection).await?)
}
