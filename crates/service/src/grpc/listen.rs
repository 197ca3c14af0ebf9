//! Connections of peers, from their arrival to their end.

use std::{io, time::Duration};

use axum::Router;
use hyper::server::conn::http2::Builder;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use patchbay_runtime::Shutdown;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use crate::{access::Tls, socket::Socket};

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// How often a quiet connection is tested, and how long the answer may take.
const KEEPALIVE: Duration = Duration::from_secs(10);
/// Connections at once; more wait in the backlog of the operating system.
const MOST_CONNECTIONS: usize = 4096;
/// Calls at once on one connection; more wait at the caller.
const MOST_CALLS: u32 = 1024;
/// How long to wait when a connection can't be taken, as when no file descriptor is left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

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
        let mut connections = JoinSet::new();
        while let Some(stream) = shutdown.or(self.accept(&mut connections)).await {
            connections.spawn(connection(stream, self.tls.clone(), self.router.clone(), shutdown.clone()));
        }
        drop(self.listener);
        let ended = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, ended).await.is_err() {
            tracing::warn!("some calls of peers did not end in time and are cut off");
        }
    }

    /// The next connection. Meanwhile, connections that have ended are forgotten.
    async fn accept(&self, connections: &mut JoinSet<()>) -> TcpStream {
        loop {
            let has_room = connections.len() < MOST_CONNECTIONS;
            tokio::select! {
                accepted = self.listener.accept(), if has_room => match accepted {
                    Ok((stream, _)) => return stream,
                    Err(error) if is_of_one_connection(&error) => {}
                    Err(error) => {
                        tracing::warn!(%error, "connections of peers can't be taken now");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}

async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, router: Router, shutdown: Shutdown) {
    // Without this an answer may wait for the acknowledgement of the one before it. A failure only costs time.
    let _ = stream.set_nodelay(true);
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
