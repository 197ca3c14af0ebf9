//! One connection, from the address to the end of the handshake.

use std::net::Shutdown;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lapin::tcp::AsyncTcpStream;
use lapin::uri::AMQPUri;
use lapin::{Connection, ConnectionProperties};
use tokio::time::timeout;

use super::address::Address;
use super::fault::Fault;
use super::tls::Tls;

/// Another handle of the socket, by which a connection that does not answer can be ended: the thread of the client library
/// that serves it ends with it.
#[derive(Debug, Clone, Default)]
struct Plug(Arc<Mutex<Option<std::net::TcpStream>>>);

impl Plug {
    fn keep(&self, socket: &impl AsFd) {
        let copy = socket.as_fd().try_clone_to_owned().ok().map(std::net::TcpStream::from);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = copy;
    }

    fn pull(&self) {
        if let Some(socket) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            // It fails when the socket is closed already.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

/// Pulls the plug of a connection that is given up before it is up.
struct Unless(Option<Plug>);

impl Drop for Unless {
    fn drop(&mut self) {
        if let Some(plug) = self.0.take() {
            plug.pull();
        }
    }
}

/// Connects within a time, the handshake of TLS included.
pub(super) async fn dial(address: &Address, tls: Option<&Tls>, within: Duration) -> Result<Connection, Fault> {
    let passing = |why: String| Fault::Passing(format!("can't be reached at {address}: {why}"));
    let runtime = lapin::runtime::default_runtime().map_err(|error| passing(error.to_string()))?;
    let client = tls.map(Tls::client);
    let plug = Plug::default();
    let mut guard = Unless(Some(plug.clone()));
    let properties = ConnectionProperties::default().with_connection_name("patchbay".into());
    #[expect(clippy::disallowed_methods, reason = "the one place that connects")]
    let connecting = Connection::connector(
        address.uri().clone(),
        runtime,
        async move |uri: AMQPUri, runtime| {
            let (host, port) = (uri.authority.host.clone(), uri.authority.port);
            let open = async {
                let stream = AsyncTcpStream::connect(&runtime, runtime.to_socket_addrs((host.clone(), port))).await?;
                if let AsyncTcpStream::Plain(socket) = &stream {
                    plug.keep(socket.get_ref());
                }
                match &client {
                    None => Ok(stream),
                    Some(client) => stream.into_rustls(&Arc::clone(client).into(), &host).await,
                }
            };
            let opened: std::io::Result<_> =
                timeout(within, open).await.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()));
            opened.map_err(lapin::Error::from)
        },
        properties,
    );
    let connection = timeout(within, connecting)
        .await
        .map_err(|_| passing(format!("no answer within {within:?}")))?
        .map_err(|error| Fault::of_connecting(&error, address, tls))?;
    guard.0 = None;
    Ok(connection)
}
