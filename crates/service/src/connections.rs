//! The connections of a listener, from the first to the last.

use std::{io, time::Duration};

use patchbay_runtime::Shutdown;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// How long to wait when a connection can't be taken, as when no file descriptor is left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Takes connections until the shutdown, then lets what is under way on them end for at most `grace`. At most `limit`
/// are taken at once; more wait in the backlog of the operating system. `whose` says in the log whose they are.
pub async fn serve<F>(
    listener: TcpListener,
    limit: usize,
    whose: &'static str,
    shutdown: Shutdown,
    grace: Duration,
    serve: impl Fn(TcpStream) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    while let Some(stream) = shutdown.or(accept(&listener, limit, whose, &mut connections)).await {
        // Without this an answer may wait for the acknowledgement of the one before it. A failure only costs time.
        let _ = stream.set_nodelay(true);
        connections.spawn(serve(stream));
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(grace, ended).await.is_err() {
        tracing::warn!(whose, "some requests did not end in time and are cut off");
    }
}

/// The next connection. Meanwhile, connections that have ended are forgotten.
async fn accept(listener: &TcpListener, limit: usize, whose: &'static str, connections: &mut JoinSet<()>) -> TcpStream {
    loop {
        let has_room = connections.len() < limit;
        tokio::select! {
            accepted = listener.accept(), if has_room => match accepted {
                Ok((stream, _)) => return stream,
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(whose, %error, "connections can't be taken now");
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
