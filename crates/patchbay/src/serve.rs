//! The command `serve`: some roles in this process, the others in other ones.

use patchbay_service::Role;
use patchbay_store::Schema;

use crate::{
    cli::{Listen, Serve},
    config::{Config, Peers},
    failure::Failure,
    process::{self, Mesh, Plan},
};

/// Runs until a signal, or until a part fails.
pub(crate) fn run(options: Serve) -> Result<(), Failure> {
    let roles = roles(&options.roles)?;
    let config = Config::load_for_mesh(options.config.as_deref())?;
    let mesh = mesh(&config, &roles, options.listen)?;
    process::run(Plan {
        roles,
        format: options.log_format.unwrap_or(config.log.format),
        config: config.into(),
        listen: options.listen,
        schema: Schema::Check,
        home: None,
        mesh: Some(mesh),
        sandbox: None,
    })
}

/// The roles by their names, in the order in which they are built.
fn roles(names: &[String]) -> Result<Vec<Role>, Failure> {
    let mut roles: Vec<Role> = Vec::with_capacity(names.len());
    for name in names {
        let role = name.trim().parse().map_err(|error| Failure::usage(format!("--roles: {error}")))?;
        if roles.contains(&role) {
            return Err(Failure::usage(format!("--roles: {role} is named twice")));
        }
        roles.push(role);
    }
    Ok(Role::ALL.into_iter().filter(|role| roles.contains(role)).collect())
}

/// How this process and the others reach each other, when all of it can work.
fn mesh(config: &Config, roles: &[Role], listen: Listen) -> Result<Mesh, Failure> {
    let access = config.service_auth.access()?;
    if roles.contains(&Role::Connection) && config.vault.master_keys.is_empty() {
        return Err(Failure::usage(
            "vault.master_keys is not set, by which role connection seals secrets\n\
             hint: set it to [\"first:KEY\"] with the KEY that `openssl rand -base64 32` prints, and keep it safe",
        ));
    }
    access.may_listen(listen.grpc).map_err(|error| Failure::Usage(error.into()))?;
    let mut peers = Vec::new();
    for asker in roles {
        for peer in asker.peers().iter().filter(|peer| !roles.contains(peer)) {
            if peers.iter().any(|(known, _)| known == peer) {
                continue;
            }
            let address = config.peers.address(*peer, *asker)?;
            let permitted = address.permitted(access.tls.is_some());
            permitted.map_err(|error| Failure::usage(format!("{}: {error}", Peers::key(*peer))))?;
            peers.push((*peer, address));
        }
    }
    Ok(Mesh { access, peers })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Result<Vec<Role>, String> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        roles(&names).map_err(|failure| match failure {
            Failure::Usage(error) | Failure::Failed(error) => error.to_string(),
        })
    }

    #[test]
    fn roles_are_built_in_one_order_however_they_are_named() {
        assert_eq!(named(&["gateway", " connection"]), Ok(vec![Role::Connection, Role::Gateway]));
    }

    #[test]
    fn a_role_is_named_once_and_is_known() {
        assert_eq!(named(&["gateway", "gateway"]), Err("--roles: gateway is named twice".to_owned()));
        for name in ["postman", ""] {
            let error = named(&["gateway", name]).unwrap_err();
            assert!(error.contains("action-executor"), "{error}");
        }
    }
}
