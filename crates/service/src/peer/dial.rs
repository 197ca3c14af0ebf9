//! Making one connection.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, BufReader},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use super::{state::Trouble, words};
use crate::socket::Socket;

/// How to connect to one address.
#[derive(Debug, Clone)]
pub(crate) struct Dialer {
    pub(crate) address: SocketAddr,
    /// The name that the certificate must have, where there must be one.
    pub(crate) tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    pub(crate) timeout: Duration,
}

impl Dialer {
    /// A connection on which the peer has spoken. Servers of HTTP/2 speak first, and ours do so only when they took our
    /// certificate; so whatever is wrong with the connection shows before anything is sent on it.
    pub(crate) async fn dial(&self) -> Result<Socket, Trouble> {
        let mut stage = "no connection";
        let dialled = tokio::time::timeout(self.timeout, self.steps(&mut stage)).await;
        dialled.unwrap_or_else(|_| Err(Trouble::unreachable(format!("{stage} within {:?}", self.timeout))))
    }

    async fn steps(&self, stage: &mut &'static str) -> Result<Socket, Trouble> {
        let stream = TcpStream::connect(self.address).await.map_err(|error| words::unreachable(&error))?;
        // Without this a request may wait for the acknowledgement of the one before it. A failure only costs time.
        let _ = stream.set_nodelay(true);
        let Some((config, name)) = &self.tls else {
            *stage = "it is either busy or no gRPC listener without TLS; no word from it";
            return greeted(stream).await;
        };
        *stage = "no end of the TLS handshake";
        let connector = TlsConnector::from(Arc::clone(config));
        let stream = connector.connect(name.clone(), stream).await.map_err(|error| words::unreachable(&error))?;
        *stage = "it is either busy or no gRPC listener; no word from it";
        greeted(stream).await
    }
}

async fn greeted(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Result<Socket, Trouble> {
    let mut stream = BufReader::new(stream);
    match stream.fill_buf().await {
        Ok([]) => Err(Trouble::unreachable("connection closed")),
        Ok(_) => Ok(Box::new(stream)),
        Err(error) => Err(words::unreachable(&error)),
    }
}
