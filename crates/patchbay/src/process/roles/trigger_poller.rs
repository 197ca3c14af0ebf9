//! The role `trigger-poller`. It has no tables.

use patchbay_service::{Installed, Role};

use super::{Recipe, Site};

pub(super) const RECIPE: Recipe =
    Recipe { needs: &[], package: None, is_public: false, install: |site| Box::pin(async { install(site) }) };

fn install(site: &Site) -> anyhow::Result<Installed> {
    let automation = site.peer(Role::Automation)?;
    Ok(patchbay_trigger_poller::role::install(&site.ground, &site.config.poller, automation)?)
}
