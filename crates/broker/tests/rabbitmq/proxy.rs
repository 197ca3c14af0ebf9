//! A network that fails when it is told to.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What the proxy does with the bytes of its connections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Mode {
    /// Connections of an earlier number are closed.
    number: u64,
    /// Bytes go nowhere, and nobody is told.
    silent: bool,
}

/// A port of the loopback address whose connections go on to another. Dropping it closes it and all of them.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    mode: Arc<watch::Sender<Mode>>,
    _accepting: JoinSet<()>,
}

impl Proxy {
    pub(crate) async fn to(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mode = Arc::new(watch::Sender::new(Mode::default()));
        let (target, modes) = (target.to_owned(), Arc::clone(&mode));
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let (target, mode) = (target.clone(), modes.subscribe());
                connections.spawn(async move {
                    let Ok(server) = TcpStream::connect(target).await else { return };
                    carry(client, server, mode).await;
                });
                while connections.try_join_next().is_some() {}
            }
        });
        Self { address, mode, _accepting: accepting }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes all connections; new ones are carried.
    pub(crate) fn break_all(&self) {
        self.mode.send_modify(|mode| mode.number += 1);
    }

    /// Swallows all bytes from now on, or no more.
    pub(crate) fn silence(&self, silent: bool) {
        self.mode.send_modify(|mode| mode.silent = silent);
    }
}

async fn carry(client: TcpStream, server: TcpStream, mut mode: watch::Receiver<Mode>) {
    let number = mode.borrow_and_update().number;
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let modes = mode.clone();
    tokio::select! {
        () = pass(from_client, to_server, modes.clone()) => {}
        () = pass(from_server, to_client, modes) => {}
        _ = mode.wait_for(|mode| mode.number != number) => {}
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mode: watch::Receiver<Mode>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if !mode.borrow().silent && to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
