//! The closed set of roles.

use std::{fmt, str::FromStr};

/// What a process can be, alone or together with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Owns accounts of partners.
    Connection,
    /// Owns automations and sources.
    Automation,
    /// Knows partners and what their accounts have.
    Catalog,
    /// Runs automations.
    ActionExecutor,
    /// Takes what partners and teams push.
    WebhookIngress,
    /// Asks partners on a schedule.
    TriggerPoller,
    /// Speaks to people and programs.
    Gateway,
}

impl Role {
    /// All of them, in the order in which one process installs them: owners before those who ask them.
    pub const ALL: [Self; 7] = [
        Self::Connection,
        Self::Automation,
        Self::Catalog,
        Self::ActionExecutor,
        Self::WebhookIngress,
        Self::TriggerPoller,
        Self::Gateway,
    ];

    /// The name in `--roles` and `peers.<role>`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Automation => "automation",
            Self::Catalog => "catalog",
            Self::ActionExecutor => "action-executor",
            Self::WebhookIngress => "webhook-ingress",
            Self::TriggerPoller => "trigger-poller",
            Self::Gateway => "gateway",
        }
    }

    /// The roles that it calls.
    #[must_use]
    pub const fn peers(self) -> &'static [Self] {
        match self {
            Self::Connection => &[],
            Self::Automation | Self::Catalog => &[Self::Connection],
            Self::ActionExecutor | Self::WebhookIngress | Self::TriggerPoller => &[Self::Automation, Self::Connection],
            Self::Gateway => {
                &[Self::Connection, Self::Automation, Self::Catalog, Self::ActionExecutor, Self::WebhookIngress]
            }
        }
    }

    /// A gRPC service that every process of this role has; empty where it has none.
    pub(crate) const fn service(self) -> &'static str {
        match self {
            Self::Connection => "patchbay.connection.v1.ConnectionService",
            Self::Automation => "patchbay.automation.v1.AutomationService",
            Self::Catalog => "patchbay.catalog.v1.CatalogService",
            Self::ActionExecutor => "patchbay.executor.v1.RunService",
            Self::WebhookIngress => "patchbay.event.v1.EventService",
            Self::TriggerPoller | Self::Gateway => "",
        }
    }

    /// The name of the check of readiness that this peer is there.
    pub(crate) const fn check(self) -> &'static str {
        match self {
            Self::Connection => "peer connection",
            Self::Automation => "peer automation",
            Self::Catalog => "peer catalog",
            Self::ActionExecutor => "peer action-executor",
            Self::WebhookIngress => "peer webhook-ingress",
            Self::TriggerPoller => "peer trigger-poller",
            Self::Gateway => "peer gateway",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A word that is no role's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{name}` is not a role; expected connection, automation, catalog, action-executor, webhook-ingress, trigger-poller \
     or gateway"
)]
pub struct UnknownRole {
    name: String,
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|role| role.name() == name);
        found.ok_or_else(|| UnknownRole { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use patchbay_proto::Method;

    use super::*;

    #[test]
    fn every_role_is_found_by_its_name() {
        for role in Role::ALL {
            assert_eq!(role.name().parse(), Ok(role));
            assert_eq!(role.check(), format!("peer {role}"));
        }
        let error = "poller".parse::<Role>().unwrap_err().to_string();
        assert!(error.starts_with("`poller` is not a role; expected connection,"), "{error}");
        for role in Role::ALL {
            assert!(error.contains(role.name()), "{error}");
        }
    }

    #[test]
    fn owners_are_installed_before_those_who_ask_them() {
        for (position, role) in Role::ALL.into_iter().enumerate() {
            for peer in role.peers() {
                assert!(Role::ALL[..position].contains(peer), "{role} asks {peer}");
            }
        }
    }

    #[test]
    fn every_role_that_is_asked_has_a_service() {
        for peer in Role::ALL.into_iter().flat_map(Role::peers) {
            assert!(Method::ALL.iter().any(|method| method.service() == peer.service()), "{peer}");
        }
    }
}
