//! All connectors, by partner.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    Connector, Manifest, ManifestError, Operation, Trigger,
    manifest::{closest, there_are},
};

/// The manifests of the folder `connectors/`, as name and text.
const BUILTIN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/builtin.rs"));

/// Connectors by the key of their partner.
#[derive(Debug, Default)]
pub struct Catalog {
    connectors: BTreeMap<String, Arc<Connector>>,
}

/// Why there is no catalog.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// Manifests are wrong.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Manifest(Vec<ManifestError>),
    /// Two connectors have the same key or id.
    #[error("two connectors have the {what} `{value}`")]
    Duplicate {
        /// `partner`, `partner id` or `operation id`.
        what: &'static str,
        /// What they share.
        value: String,
    },
}

/// The connectors that come with Patchbay.
///
/// # Errors
/// When a manifest of the folder `connectors/` is wrong.
pub fn builtin() -> Result<Catalog, CatalogError> {
    let mut connectors = Vec::new();
    for (file, text) in BUILTIN {
        let manifest = Manifest::parse(file, text).map_err(CatalogError::Manifest)?;
        connectors.push(Connector::compile(manifest).map_err(CatalogError::Manifest)?);
    }
    Catalog::new(connectors)
}

impl Catalog {
    /// A catalog of these connectors.
    ///
    /// # Errors
    /// When two of them share a key or an id.
    pub fn new(connectors: impl IntoIterator<Item = Connector>) -> Result<Self, CatalogError> {
        let mut catalog = Self::default();
        for connector in connectors {
            catalog.check_unique(&connector)?;
            catalog.connectors.insert(connector.partner.key.clone(), Arc::new(connector));
        }
        Ok(catalog)
    }

    /// The connector of a partner.
    #[must_use]
    pub fn connector(&self, partner: &str) -> Option<&Arc<Connector>> {
        self.connectors.get(partner)
    }

    /// The operation with this name, such as `altcraft.import_profile`, and whose it is.
    #[must_use]
    pub fn operation(&self, name: &str) -> Option<(&Arc<Connector>, &Arc<Operation>)> {
        let (partner, key) = name.split_once('.')?;
        let connector = self.connector(partner)?;
        Some((connector, connector.operation(key)?))
    }

    /// The trigger with this name, such as `sandbox-crm.contact_created`, and whose it is.
    #[must_use]
    pub fn trigger(&self, name: &str) -> Option<(&Arc<Connector>, &Arc<Trigger>)> {
        let (partner, key) = name.split_once('.')?;
        let connector = self.connector(partner)?;
        Some((connector, connector.trigger(key)?))
    }

    /// All connectors, by key.
    pub fn connectors(&self) -> impl Iterator<Item = &Arc<Connector>> {
        self.connectors.values()
    }

    /// All operations, by partner and then in the order of its manifest.
    pub fn operations(&self) -> impl Iterator<Item = &Arc<Operation>> {
        self.connectors().flat_map(|connector| connector.operations())
    }

    /// All triggers, by partner and then in the order of its manifest.
    pub fn triggers(&self) -> impl Iterator<Item = &Arc<Trigger>> {
        self.connectors().flat_map(|connector| connector.triggers())
    }

    /// Says about an operation that is not there what was probably meant.
    #[must_use]
    pub fn unknown_operation(&self, name: &str) -> String {
        let hint = closest(name, self.operations().map(|operation| operation.name()));
        with_hint("operation", name, hint, self.operations().map(|operation| operation.name()))
    }

    /// Says about a trigger that is not there what was probably meant.
    #[must_use]
    pub fn unknown_trigger(&self, name: &str) -> String {
        let hint = closest(name, self.triggers().map(|trigger| trigger.name()));
        with_hint("trigger", name, hint, self.triggers().map(|trigger| trigger.name()))
    }

    /// Says about a partner that is not there what was probably meant.
    #[must_use]
    pub fn unknown_partner(&self, partner: &str) -> String {
        let hint = closest(partner, self.connectors.keys().map(String::as_str));
        with_hint("partner", partner, hint, self.connectors.keys().map(String::as_str))
    }

    fn check_unique(&self, connector: &Connector) -> Result<(), CatalogError> {
        let duplicate = |what, value: String| Err(CatalogError::Duplicate { what, value });
        let partner = &connector.partner;
        if self.connectors.contains_key(&partner.key) {
            return duplicate("partner", partner.key.clone());
        }
        if self.connectors().any(|other| other.partner.id == partner.id) {
            return duplicate("partner id", partner.id.to_string());
        }
        let taken: BTreeSet<u64> = self.ids().collect();
        let ids = connector.operations.iter().map(|operation| operation.id());
        let mut ids = ids.chain(connector.triggers.iter().map(|trigger| trigger.id()));
        match ids.find(|id| taken.contains(id)) {
            Some(id) => duplicate("operation id", id.to_string()),
            None => Ok(()),
        }
    }

    /// The ids of all operations and triggers, which share them.
    fn ids(&self) -> impl Iterator<Item = u64> {
        self.operations().map(|operation| operation.id()).chain(self.triggers().map(|trigger| trigger.id()))
    }
}

fn with_hint<'name>(what: &str, name: &str, hint: Option<String>, known: impl Iterator<Item = &'name str>) -> String {
    let name: String = name.chars().take(100).collect();
    let hint = hint.unwrap_or_else(|| there_are(known));
    format!("unknown {what} `{name}`; {hint}")
}
