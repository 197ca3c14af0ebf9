//! Partners and operations are shown.

use std::sync::Arc;

use patchbay_connector::Connector;
use patchbay_types::fault::{Code, Fault};

use super::Directory;
use crate::domain::Found;

const GUESS: &str = "did you mean";

impl Directory {
    /// The partners whose key or title has this text, whatever the case of its letters; empty is all.
    pub(crate) fn partners(&self, contains: &str) -> Vec<Arc<Connector>> {
        let wanted = contains.trim().to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&wanted);
        let is_wanted = |connector: &&Arc<Connector>| {
            let partner = connector.partner();
            has(&partner.key) || has(&partner.title) || partner.titles.values().any(|title| has(title))
        };
        self.catalog.connectors().filter(is_wanted).map(Arc::clone).collect()
    }

    /// One partner.
    pub(crate) fn partner(&self, key: &str) -> Result<Arc<Connector>, Fault> {
        let found = self.catalog.connector(key).map(Arc::clone);
        found.ok_or_else(|| Fault::new(Code::NotFound, self.catalog.unknown_partner(key)).with_field("partner"))
    }

    /// Triggers and actions of one partner; empty is all partners.
    pub(crate) fn operations(&self, partner: &str) -> Result<Vec<Found>, Fault> {
        if partner.is_empty() {
            return Ok(self.catalog.connectors().flat_map(operations_of).collect());
        }
        Ok(operations_of(&self.partner(partner)?))
    }

    /// An operation by its name, such as `altcraft.import_profile`, and whose it is.
    pub(super) fn find(&self, name: &str) -> Result<(Arc<Connector>, Found), Fault> {
        if let Some((connector, operation)) = self.catalog.operation(name) {
            return Ok((Arc::clone(connector), Found::Action(Arc::clone(operation))));
        }
        if let Some((connector, trigger)) = self.catalog.trigger(name) {
            return Ok((Arc::clone(connector), Found::Trigger(Arc::clone(trigger))));
        }
        if let Some((partner, _)) = name.split_once('.') {
            self.partner(partner)?;
        }
        let of_triggers = self.catalog.unknown_trigger(name);
        let of_actions = self.catalog.unknown_operation(name);
        let is_guess = of_triggers.contains(GUESS) && !of_actions.contains(GUESS);
        let message = if is_guess { of_triggers } else { of_actions };
        Err(Fault::new(Code::NotFound, message).with_field("operation"))
    }
}

fn operations_of(connector: &Arc<Connector>) -> Vec<Found> {
    let triggers = connector.triggers().iter().map(|trigger| Found::Trigger(Arc::clone(trigger)));
    let actions = connector.operations().iter().map(|operation| Found::Action(Arc::clone(operation)));
    triggers.chain(actions).collect()
}
