//! Serving HTTP until the shutdown.

use std::{io, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use patchbay_runtime::Shutdown;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::door::Door;

/// How long a connection may take for the head of a request, and how long it may be unused.
const HEAD_TIMEOUT: Duration = Duration::from_secs(20);
/// Connections at once on one listener; more wait in the backlog of the operating system.
const MOST_CONNECTIONS: usize = 16 * 1024;
/// How long to wait when a connection can't be taken, as when no file descriptor is left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves what is behind `door` until the shutdown, then lets requests under way end for at most `grace`.
pub(super) async fn serve(listener: TcpListener, door: Door<Router>, shutdown: Shutdown, grace: Duration) {
    let mut connections = JoinSet::new();
    while let Some(accepted) = shutdown.or(accept(&listener, &mut connections)).await {
        connections.spawn(connection(accepted, door.router(), shutdown.clone()));
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(grace, ended).await.is_err() {
        tracing::warn!("some requests did not end in time and are cut off");
    }
}

/// The next connection. Meanwhile, connections that have ended are forgotten.
async fn accept(listener: &TcpListener, connections: &mut JoinSet<()>) -> TcpStream {
    loop {
        let has_room = connections.len() < MOST_CONNECTIONS;
        tokio::select! {
            accepted = listener.accept(), if has_room => match accepted {
                Ok((stream, _)) => return stream,
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "connections can't be taken now");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}

async fn connection(stream: TcpStream, router: Router, shutdown: Shutdown) {
    // Without this an answer may wait for the acknowledgement of the one before it. A failure only costs time.
    let _ = stream.set_nodelay(true);
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.begun() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection broke off");
    }
}
