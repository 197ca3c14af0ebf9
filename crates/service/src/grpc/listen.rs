//! Connections of peers, from their arrival to their end.

use std::{io, time::Duration};

use axum::Router;
use hyper::server::conn::http2::Builder;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use patchbay_runtime::Shutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::{access::Tls, connections, socket::Socket};

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// How often a quiet connection is tested, and how long the answer may take.
const KEEPALIVE: Duration = Duration::from_secs(10);
/// Connections at once.
const MOST_CONNECTIONS: usize = 4096;
/// Calls at once on one connection; more wait at the caller.
const MOST_CALLS: u32 = 1024;

/// Takes connections and answers them.
pub(crate) struct Listener {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
}

impl Listener {
    pub(crate) fn new(listener: TcpListener, tls: Option<Tls>, router: Router) -> Self {
        Self { listener, tls: tls.map(|tls| TlsAcceptor::from(tls.server())), router }
    }

    pub(crate) async fn run(self, shutdown: Shutdown, grace: Duration) {
        let Self { listener, tls, router } = self;
        let end = shutdown.clone();
        let serve = move |stream| connection(stream, tls.clone(), router.clone(), end.clone());
        connections::serve(listener, MOST_CONNECTIONS, "peers", shutdown, grace, serve).await;
    }
}

async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, router: Router, shutdown: Shutdown) {
    let caller = stream.peer_addr().ok();
    let socket = match secured(stream, tls).await {
        Ok(socket) => socket,
        Err(error) => {
            tracing::info!(?caller, %error, "a peer was not let in");
            return;
        }
    };
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEPALIVE)
        .keep_alive_timeout(KEEPALIVE)
        .max_concurrent_streams(MOST_CALLS);
    let connection = builder.serve_connection(TokioIo::new(socket), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.begun() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(?caller, %error, "connection of a peer broke off");
    }
}

async fn secured(stream: TcpStream, tls: Option<TlsAcceptor>) -> io::Result<Socket> {
    let Some(tls) = tls else { return Ok(Box::new(stream)) };
    let handshake = tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await;
    let late = || io::Error::new(io::ErrorKind::TimedOut, "its TLS handshake did not end in time");
    Ok(Box::new(handshake.map_err(|_| late())??))
}
