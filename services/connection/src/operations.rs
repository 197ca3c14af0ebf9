//! The use cases, one file each.

mod changes_since;
mod create;
mod delete;
mod disconnect;
mod get;
mod hook_keys;
mod issue_credential;
mod list;
mod prepare_keys;
mod reactivate;
mod report_refused;
mod rules;
mod seal;
mod test;
mod update;

use std::sync::Arc;

use patchbay_connector::Catalog;
use patchbay_egress::Egress;
use patchbay_runtime::Clock;
use patchbay_vault::KeyRing;

pub(crate) use seal::SealedSecret;

use crate::{Config, store::Store};

/// What the use cases work with.
#[derive(Debug)]
pub(crate) struct Connections {
    pub(crate) store: Store,
    pub(crate) keys: KeyRing,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) clock: Clock,
    /// The way to the partners, for tests of connections.
    pub(crate) egress: Egress,
    pub(crate) config: Config,
}
