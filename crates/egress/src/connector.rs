//! Opening one connection: resolve, guard, connect, TLS. Only addresses that the guard has seen are connected to.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::error::{Kind, SendError};
use crate::guard::{Guard, Refusal};
use crate::stream::Stream;
use crate::target;

/// Addresses of one name that are tried at most.
const MAX_ADDRESSES: usize = 8;

/// The addresses of a host.
#[cfg(test)]
pub(crate) type Script = dyn Fn(&str) -> Vec<IpAddr> + Send + Sync;

/// How names become addresses.
pub(crate) enum Resolver {
    /// As the machine does it.
    System,
    /// As a test says.
    #[cfg(test)]
    Scripted(Box<Script>),
}

#[derive(Clone)]
pub(crate) struct Connector {
    shared: Arc<Shared>,
}

struct Shared {
    guard: Guard,
    resolver: Resolver,
    tls: TlsConnector,
    connect_timeout: Duration,
}

impl Connector {
    pub(crate) fn new(
        guard: Guard,
        resolver: Resolver,
        roots: RootCertStore,
        connect_timeout: Duration,
    ) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let shared = Shared { guard, resolver, tls: TlsConnector::from(Arc::new(config)), connect_timeout };
        Ok(Self { shared: Arc::new(shared) })
    }
}

impl tower::Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = SendError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, SendError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            let host = uri.host().unwrap_or_default();
            match tokio::time::timeout(shared.connect_timeout, shared.open(&uri, host)).await {
                Ok(opened) => opened.map(TokioIo::new),
                Err(_) => Err(SendError::unsent(
                    Kind::Timeout,
                    format!("connecting to host {host} took longer than {:?}", shared.connect_timeout),
                )),
            }
        })
    }
}

impl Shared {
    async fn open(&self, uri: &Uri, host: &str) -> Result<Stream, SendError> {
        let port = target::port(uri);
        // An IPv6 literal stands in brackets in a URL, and only there.
        let host = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);

        self.guard.check_host(host).map_err(forbidden)?;
        let resolved = self.resolver.resolve(host, port).await?;
        let addresses = self.guard.permitted(host, resolved).map_err(forbidden)?;
        let stream = connect(host, &addresses, self.connect_timeout).await?;
        if !target::is_secure(uri) {
            return Ok(Stream::Plain(stream));
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|error| {
            SendError::unsent(Kind::InvalidUrl, format!("host {host} can't be named in tls")).caused_by(error)
        })?;
        let stream = self.tls.connect(name, stream).await.map_err(|error| {
            SendError::unsent(Kind::Tls, format!("tls handshake with host {host} failed{}", why(&error)))
                .caused_by(error)
        })?;
        Ok(Stream::Tls(Box::new(stream)))
    }
}

/// What a person can do something about, in plain words.
fn why(error: &io::Error) -> &'static str {
    let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) else { return "" };
    match error {
        rustls::Error::InvalidCertificate(reason) => match reason {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => ": its certificate has expired",
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                ": its certificate is not valid yet"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                ": its certificate is for another name"
            }
            CertificateError::Revoked => ": its certificate was revoked",
            _ => ": its certificate is not trusted; it must come from a public certificate authority",
        },
        rustls::Error::InvalidMessage(_) => ": it does not answer in tls; perhaps it speaks plain http",
        _ => "",
    }
}

fn forbidden(refusal: Refusal) -> SendError {
    SendError::unsent(Kind::Forbidden, refusal.to_string())
}

impl Resolver {
    async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, SendError> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let failed = || SendError::unsent(Kind::Dns, format!("host {host} could not be resolved"));
        let resolved: Vec<SocketAddr> = match self {
            Self::System => {
                let found = tokio::net::lookup_host((host, port)).await.map_err(|error| failed().caused_by(error))?;
                found.take(MAX_ADDRESSES).collect()
            }
            #[cfg(test)]
            Self::Scripted(script) => script(host).into_iter().map(|address| SocketAddr::new(address, port)).collect(),
        };
        if resolved.is_empty() {
            return Err(failed());
        }
        Ok(resolved)
    }
}

/// Tries the addresses in order; each gets an equal share of the time, so that a silent one can't use it up.
async fn connect(host: &str, addresses: &[SocketAddr], budget: Duration) -> Result<TcpStream, SendError> {
    let share = budget / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match tokio::time::timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true).map_err(|error| refused(host).caused_by(error))?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = error,
            Err(_) => last = io::Error::from(io::ErrorKind::TimedOut),
        }
    }
    Err(refused(host).caused_by(last))
}

fn refused(host: &str) -> SendError {
    SendError::unsent(Kind::Connect, format!("host {host} could not be connected to"))
}
