//! Serving HTTP until the shutdown.

use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use patchbay_runtime::Shutdown;
use patchbay_service::connections;
use tokio::net::{TcpListener, TcpStream};

use super::door::Door;

/// How long a connection may take for the head of a request, and how long it may be unused.
const HEAD_TIMEOUT: Duration = Duration::from_secs(20);
/// Connections at once on one listener.
const MOST_CONNECTIONS: usize = 16 * 1024;

/// Serves what is behind `door` until the shutdown, then lets requests under way end for at most `grace`.
pub(super) async fn serve(listener: TcpListener, door: Door<Router>, shutdown: Shutdown, grace: Duration) {
    let end = shutdown.clone();
    let serve = move |stream| connection(stream, door.router(), end.clone());
    connections::serve(listener, MOST_CONNECTIONS, "users", shutdown, grace, serve).await;
}

async fn connection(stream: TcpStream, router: Router, shutdown: Shutdown) {
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
