//! The sockets: bound first, served when all roles are there.

use std::net::SocketAddr;

use anyhow::Context;
use tokio::net::TcpListener;

use crate::{cli::Up, failure::Failure};

const SANDBOX: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8090);

/// Bound and not yet served.
pub(super) struct Listeners {
    pub(super) public: TcpListener,
    pub(super) grpc: TcpListener,
    pub(super) admin: TcpListener,
    pub(super) sandbox: Option<TcpListener>,
    pub(super) addresses: Addresses,
}

/// Where they are bound, ports of 0 resolved.
#[derive(Clone, Copy)]
pub(super) struct Addresses {
    pub(super) public: SocketAddr,
    pub(super) grpc: SocketAddr,
    pub(super) admin: SocketAddr,
    pub(super) sandbox: Option<SocketAddr>,
}

/// A demo has a password that everybody knows, so only this machine may reach it.
pub(super) fn check(options: &Up) -> Result<(), Failure> {
    if !options.demo {
        return Ok(());
    }
    let all = [
        ("--listen", options.listen),
        ("--grpc-listen", options.grpc_listen),
        ("--admin-listen", options.admin_listen),
        ("--sandbox-listen", sandbox(options)),
    ];
    match all.into_iter().find(|(_, address)| !address.ip().is_loopback()) {
        None => Ok(()),
        Some((flag, address)) => Err(Failure::usage(format!(
            "--demo listens on loopback only, but {flag} is {address}\n\
             hint: its password is known to everybody; leave --demo out, or choose an address such as 127.0.0.1:{}",
            address.port()
        ))),
    }
}

fn sandbox(options: &Up) -> SocketAddr {
    options.sandbox_listen.unwrap_or(SANDBOX)
}

impl Listeners {
    pub(super) async fn bind(options: &Up) -> anyhow::Result<Self> {
        let (public, public_address) = bind("public listener", "--listen", options.listen).await?;
        let (grpc, grpc_address) = bind("gRPC listener", "--grpc-listen", options.grpc_listen).await?;
        let (admin, admin_address) = bind("admin listener", "--admin-listen", options.admin_listen).await?;
        let sandbox = match options.demo {
            true => Some(bind("sandbox", "--sandbox-listen", sandbox(options)).await?),
            false => None,
        };
        let addresses = Addresses {
            public: public_address,
            grpc: grpc_address,
            admin: admin_address,
            sandbox: sandbox.as_ref().map(|(_, address)| *address),
        };
        Ok(Self { public, grpc, admin, sandbox: sandbox.map(|(listener, _)| listener), addresses })
    }
}

/// A listener and where it is bound.
pub(crate) async fn bind(name: &str, flag: &str, address: SocketAddr) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let failed =
        || format!("{name} can't listen on {address}\nhint: choose another address by {flag}; port 0 is a free one");
    let listener = TcpListener::bind(address).await.with_context(failed)?;
    let address = listener.local_addr().with_context(failed)?;
    Ok((listener, address))
}
