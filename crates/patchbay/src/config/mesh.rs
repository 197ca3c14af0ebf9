//! The sections `service_auth` and `peers`: how processes of one mesh reach and trust each other.

use std::path::Path;

use patchbay_service::{
    Role,
    access::{self, Access, ServiceToken, Tls},
    peer::Address,
};
use serde::Deserialize;

use crate::failure::Failure;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceAuth {
    token: String,
    certificate: String,
    key: String,
    authority: String,
}

impl ServiceAuth {
    /// How a process of a mesh proves itself to the others.
    pub(crate) fn access(&self) -> Result<Access, Failure> {
        if self.token.is_empty() {
            return Err(Failure::usage(
                "service_auth.token is not set, by which the processes of a mesh know each other\n\
                 hint: set the same in all of them, such as what `openssl rand -hex 32` prints",
            ));
        }
        let token: ServiceToken = self.token.parse().map_err(|error: access::Error| Failure::Usage(error.into()))?;
        Ok(Access { token, tls: self.tls()? })
    }

    fn tls(&self) -> Result<Option<Tls>, Failure> {
        let files = [
            ("certificate", self.certificate.as_str()),
            ("key", self.key.as_str()),
            ("authority", self.authority.as_str()),
        ];
        if files.iter().all(|(_, file)| file.is_empty()) {
            return Ok(None);
        }
        if let Some((name, _)) = files.iter().find(|(_, file)| file.is_empty()) {
            return Err(Failure::usage(format!(
                "service_auth.{name} is not set; TLS between processes needs certificate, key and authority"
            )));
        }
        let [certificate, key, authority] = files.map(|(_, file)| Path::new(file));
        Tls::load(certificate, key, authority).map(Some).map_err(|error| Failure::usage(error.to_string()))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Peers {
    connection: String,
    automation: String,
    catalog: String,
    action_executor: String,
    webhook_ingress: String,
    trigger_poller: String,
    gateway: String,
}

impl Peers {
    /// Where a role is that runs elsewhere, as configured.
    fn text(&self, role: Role) -> &str {
        match role {
            Role::Connection => &self.connection,
            Role::Automation => &self.automation,
            Role::Catalog => &self.catalog,
            Role::ActionExecutor => &self.action_executor,
            Role::WebhookIngress => &self.webhook_ingress,
            Role::TriggerPoller => &self.trigger_poller,
            Role::Gateway => &self.gateway,
        }
    }

    /// Where `role` is, which `asker` asks.
    pub(crate) fn address(&self, role: Role, asker: Role) -> Result<Address, Failure> {
        let (text, key) = (self.text(role), Self::key(role));
        if text.is_empty() {
            return Err(Failure::usage(format!(
                "{key} is not set: role {asker} asks role {role}, which does not run in this process\n\
                 hint: set it to the address of its --grpc-listen, such as http://127.0.0.1:8081, or add {role} to --roles"
            )));
        }
        text.parse().map_err(|error| Failure::usage(format!("{key}: {error}")))
    }

    /// The key of a role's address.
    pub(crate) fn key(role: Role) -> String {
        format!("peers.{}", role.name().replace('-', "_"))
    }
}
