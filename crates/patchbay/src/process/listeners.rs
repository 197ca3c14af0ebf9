//! The sockets: bound before anything else is begun.

use std::net::SocketAddr;

use anyhow::Context;
use tokio::net::TcpListener;

use crate::cli::Listen;

/// Bound and not yet served.
pub(super) struct Listeners {
    /// Of processes that have a role with a public part.
    pub(super) public: Option<TcpListener>,
    pub(super) grpc: TcpListener,
    pub(super) admin: TcpListener,
    pub(super) sandbox: Option<TcpListener>,
    pub(super) addresses: Addresses,
}

/// Where they are bound, ports of 0 resolved.
#[derive(Clone, Copy)]
pub(crate) struct Addresses {
    pub(crate) public: Option<SocketAddr>,
    pub(crate) grpc: SocketAddr,
    /// Whether gRPC is spoken over TLS.
    pub(crate) grpc_tls: bool,
    pub(crate) admin: SocketAddr,
    pub(crate) sandbox: Option<SocketAddr>,
}

impl Listeners {
    pub(super) async fn bind(
        listen: Listen,
        is_public: bool,
        grpc_tls: bool,
        sandbox: Option<SocketAddr>,
    ) -> anyhow::Result<Self> {
        let public = match is_public {
            true => Some(bind("public listener", "--listen", listen.public).await?),
            false => None,
        };
        let (grpc, grpc_address) = bind("gRPC listener", "--grpc-listen", listen.grpc).await?;
        let (admin, admin_address) = bind("admin listener", "--admin-listen", listen.admin).await?;
        let sandbox = match sandbox {
            Some(address) => Some(bind("sandbox", "--sandbox-listen", address).await?),
            None => None,
        };
        let addresses = Addresses {
            public: public.as_ref().map(|(_, address)| *address),
            grpc: grpc_address,
            grpc_tls,
            admin: admin_address,
            sandbox: sandbox.as_ref().map(|(_, address)| *address),
        };
        let listener = |bound: Option<(TcpListener, SocketAddr)>| bound.map(|(listener, _)| listener);
        Ok(Self { public: listener(public), grpc, admin, sandbox: listener(sandbox), addresses })
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
