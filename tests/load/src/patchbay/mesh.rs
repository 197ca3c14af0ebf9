//! Each role a process of its own, over one database and one broker.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use patchbay_runtime::Tasks;
use tokio::time::sleep;

use super::{Setup, USER};
use crate::clock::{NANOS_A_SECOND, now_nanos};
use crate::fleet::Fleet;
use crate::http_client::Connection;
use crate::process::{Process, Starting};

pub(crate) const EXECUTOR: &str = "action-executor";
const CONNECTION: &str = "connection";
const INGRESS: &str = "webhook-ingress";
const GATEWAY: &str = "gateway";
const ROLES: [&str; 7] = [CONNECTION, "catalog", "automation", "trigger-poller", INGRESS, EXECUTOR, GATEWAY];
/// Between processes that live as long as a run.
const TOKEN: &str = "a token between processes of the benchmark";
/// Seals the secrets of a throwaway database; the other roles never see a key.
const MASTER_KEYS: &str = r#"["bench:YSBtYXN0ZXIga2V5IG9mIHRoZSBiZW5jaG1hcmshISE="]"#;
const READY_NANOS: u64 = 30 * NANOS_A_SECOND;
const READY_INTERVAL: Duration = Duration::from_millis(20);

/// How the roles are started and find each other.
#[derive(Debug, Clone)]
pub(crate) struct Mesh {
    setup: Setup,
    addresses: BTreeMap<&'static str, Addresses>,
}

/// Where a role listens.
#[derive(Debug, Clone, Copy)]
struct Addresses {
    public: SocketAddr,
    grpc: SocketAddr,
    admin: SocketAddr,
}

impl Mesh {
    /// Gives each role its addresses, and tells them to all.
    pub(crate) fn lay(setup: Setup) -> Result<Self> {
        let mut mesh = Self { setup, addresses: BTreeMap::new() };
        for role in ROLES {
            let free = free_addresses().context("find free ports")?;
            mesh.setup.tell(&peer_variable(role), format!("http://{}", free.grpc));
            mesh.addresses.insert(role, free);
        }
        let ingress = mesh.of(INGRESS)?.public;
        mesh.setup.tell("PATCHBAY__PUBLIC_URL", format!("http://{ingress}"));
        mesh.setup.tell("PATCHBAY__SERVICE_AUTH__TOKEN", TOKEN.to_owned());
        Ok(mesh)
    }

    /// Makes the tables and a user, then starts all roles at once and waits until each can make progress.
    pub(crate) async fn start(&self, tasks: &Tasks) -> Result<Fleet> {
        self.setup.migrate()?;
        self.setup.create_user(USER)?;
        let starting = ROLES.map(|role| (role, self.spawn(role)));
        let mut members = BTreeMap::new();
        for (role, starting) in starting {
            members.insert(role, starting?.ready()?);
        }
        let mut fleet = Fleet::new(members, self.of(INGRESS)?.public, self.of(GATEWAY)?.public);
        for role in ROLES {
            self.wait_ready(role, &mut fleet, tasks).await?;
        }
        Ok(fleet)
    }

    /// Starts a role that was ended, and waits until it can make progress.
    pub(crate) async fn start_again(&self, role: &'static str, fleet: &mut Fleet, tasks: &Tasks) -> Result<()> {
        fleet.add(role, self.spawn(role)?.ready()?);
        self.wait_ready(role, fleet, tasks).await
    }

    /// Makes another user with a workspace.
    pub(crate) fn create_user(&self, email: &str) -> Result<()> {
        self.setup.create_user(email)
    }

    fn spawn(&self, role: &'static str) -> Result<Starting> {
        let Addresses { public, grpc, admin } = self.of(role)?;
        let mut serve = self.setup.command();
        serve.args(["serve", "--roles", role, "--log-format", "json"]);
        serve.args(["--listen", &public.to_string(), "--grpc-listen", &grpc.to_string()]);
        serve.args(["--admin-listen", &admin.to_string()]);
        if role == CONNECTION {
            serve.env("PATCHBAY__VAULT__MASTER_KEYS", MASTER_KEYS);
        }
        Process::spawn(role, serve, self.setup.directory.join(format!("{role}.log")))
    }

    /// A process that has bound its addresses still looks for its peers.
    async fn wait_ready(&self, role: &str, fleet: &mut Fleet, tasks: &Tasks) -> Result<()> {
        let give_up_at = now_nanos() + READY_NANOS;
        let admin = self.of(role)?.admin;
        loop {
            let asked = async { Connection::open(admin, tasks).await?.get("/readyz").await };
            let Err(error) = asked.await else { return Ok(()) };
            fleet.check()?;
            if now_nanos() > give_up_at {
                bail!("{role} did not become ready: {error:#}\n{}", fleet.last_words());
            }
            sleep(READY_INTERVAL).await;
        }
    }

    fn of(&self, role: &str) -> Result<Addresses> {
        self.addresses.get(role).copied().with_context(|| format!("{role} is no role"))
    }
}

/// The variable that tells where a role is.
fn peer_variable(role: &str) -> String {
    format!("PATCHBAY__PEERS__{}", role.to_uppercase().replace('-', "_"))
}

/// Three addresses that nobody listens on now: peers have to know them before they are bound.
fn free_addresses() -> std::io::Result<Addresses> {
    let bind = || TcpListener::bind("127.0.0.1:0");
    // Bound at once, so that they differ.
    let (public, grpc, admin) = (bind()?, bind()?, bind()?);
    Ok(Addresses { public: public.local_addr()?, grpc: grpc.local_addr()?, admin: admin.local_addr()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_of_roles_become_underscores() {
        assert_eq!(peer_variable(EXECUTOR), "PATCHBAY__PEERS__ACTION_EXECUTOR");
    }

    #[test]
    fn free_addresses_differ() {
        let Addresses { public, grpc, admin } = free_addresses().unwrap();
        assert!(public != grpc && grpc != admin && admin != public);
    }
}
