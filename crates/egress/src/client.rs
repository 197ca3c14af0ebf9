//! The client: one exchange from request to complete answer.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderValue, USER_AGENT};
use http::{Method, Uri};
use http_body_util::Full;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::RootCertStore;
use tokio::time::Instant;

use crate::body::{self, BodyError};
use crate::connector::{Connector, Resolver};
use crate::error::{Error, Kind, SendError, Sent};
use crate::guard::Guard;
use crate::gzip::Coding;
use crate::{AllowRule, Request, Response, Streamed, redirect, target};

const OWN_USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("patchbay/", env!("CARGO_PKG_VERSION")));

const GZIP: HeaderValue = HeaderValue::from_static("gzip");
/// The longest head of an answer, in bytes. It has 100 headers at most.
const LONGEST_HEAD: usize = 128 * 1024;

/// Limits and exceptions of the client.
#[derive(Clone, Debug)]
pub struct Options {
    /// What may be reached although it is not public.
    pub allow_private: Vec<AllowRule>,
    /// How long resolving, connecting and the TLS handshake may take together.
    pub connect_timeout: Duration,
    /// The largest body of an answer, in bytes, unpacked.
    pub max_response_bytes: usize,
    /// The largest body of a request, in bytes.
    pub max_request_bytes: usize,
    /// How long an unused connection is kept.
    pub idle_timeout: Duration,
    /// How many unused connections are kept for one scheme, host and port.
    pub max_idle_per_host: usize,
}

impl Default for Options {
    /// Nothing private, 5 s to connect, 4 MiB a body, 256 unused connections a host for 30 s.
    fn default() -> Self {
        Self {
            allow_private: Vec::new(),
            connect_timeout: Duration::from_secs(5),
            max_response_bytes: 4 * 1024 * 1024,
            max_request_bytes: 4 * 1024 * 1024,
            idle_timeout: Duration::from_secs(30),
            max_idle_per_host: 256,
        }
    }
}

/// The outbound HTTP client with its pool of connections; clones share them.
#[derive(Clone, Debug)]
pub struct Egress {
    client: legacy::Client<Connector, Full<Bytes>>,
    max_response_bytes: usize,
    max_request_bytes: usize,
}

/// How an exchange failed after its request was handed to the pool.
enum Failure {
    Client(legacy::Error),
    Body(BodyError),
}

impl Egress {
    /// A client that trusts the certificate authorities of Mozilla's list.
    ///
    /// # Errors
    ///
    /// When a limit or timeout is zero, or the TLS settings are refused.
    pub fn new(options: Options) -> Result<Self, Error> {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        Self::with_roots(options, roots, Resolver::System)
    }

    #[expect(clippy::disallowed_methods, reason = "this crate is the room of the HTTP client")]
    pub(crate) fn with_roots(options: Options, roots: RootCertStore, resolver: Resolver) -> Result<Self, Error> {
        refuse_zeros(&options)?;
        let connector = Connector::new(Guard::new(options.allow_private), resolver, roots, options.connect_timeout)?;
        let client = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(options.idle_timeout)
            .pool_max_idle_per_host(options.max_idle_per_host)
            .http1_max_buf_size(LONGEST_HEAD)
            .build(connector);
        Ok(Self {
            client,
            max_response_bytes: options.max_response_bytes,
            max_request_bytes: options.max_request_bytes,
        })
    }

    /// Performs one exchange, and those that its redirects ask for. A request whose pooled connection turns out to be
    /// closed before anything was written is sent on a fresh one. Packed answers are unpacked.
    ///
    /// # Errors
    ///
    /// [`SendError`] when there is no complete answer within the limits.
    pub async fn send(&self, request: Request) -> Result<Response, SendError> {
        let timeout = request.timeout;
        if request.redirects.most == 0 {
            return self.hop(request, timeout).await;
        }
        let began = Instant::now();
        let mut request = request;
        let mut answer = self.hop(request.clone(), timeout).await?;
        for _ in 0..request.redirects.most {
            let Some(next) = redirect::next(&request, &answer) else { break };
            request = next;
            request.timeout = timeout.saturating_sub(began.elapsed());
            answer = self.hop(request.clone(), timeout).await.map_err(SendError::after_a_hop)?;
        }
        Ok(answer)
    }

    /// One request and its answer; `allowed` is the time that all hops have together.
    async fn hop(&self, request: Request, allowed: Duration) -> Result<Response, SendError> {
        let timeout = request.timeout;
        let (mut outgoing, uri) = self.prepare(request)?;
        let picked = capture_connection(&mut outgoing);
        match tokio::time::timeout(timeout, self.exchange(outgoing)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(failure)) => Err(self.explain(failure, &uri, sent(&picked))),
            Err(_) => {
                let message = format!("host {} gave no complete answer within {allowed:?}", host_of(&uri));
                Err(SendError::new(Kind::Timeout, sent(&picked), message))
            }
        }
    }

    /// One exchange whose answer may have no end. The time of the request is that for the head of the answer; its body is
    /// read piece by piece, without limits and never unpacked.
    ///
    /// # Errors
    ///
    /// [`SendError`] when no answer begins.
    pub async fn stream(&self, request: Request) -> Result<Streamed, SendError> {
        let timeout = request.timeout;
        let (mut outgoing, uri) = self.prepare(request)?;
        outgoing.headers_mut().remove(ACCEPT_ENCODING);
        let picked = capture_connection(&mut outgoing);
        match tokio::time::timeout(timeout, self.client.request(outgoing)).await {
            Ok(Ok(answer)) => Ok(Streamed::new(answer, host_of(&uri).to_owned())),
            Ok(Err(error)) => Err(self.explain(Failure::Client(error), &uri, sent(&picked))),
            Err(_) => {
                let message = format!("host {} began no answer within {timeout:?}", host_of(&uri));
                Err(SendError::new(Kind::Timeout, sent(&picked), message))
            }
        }
    }

    /// The request as it is sent, when it may be.
    fn prepare(&self, request: Request) -> Result<(http::Request<Full<Bytes>>, Uri), SendError> {
        let uri = target::parse(&request.url)?;
        check_head(&request.method, &request.headers)?;
        if request.body.len() > self.max_request_bytes {
            let message = format!("the request body is larger than {} bytes", self.max_request_bytes);
            return Err(SendError::unsent(Kind::TooLarge, message));
        }
        let mut outgoing = http::Request::new(Full::new(request.body));
        *outgoing.method_mut() = request.method;
        *outgoing.uri_mut() = uri.clone();
        *outgoing.headers_mut() = request.headers;
        outgoing.headers_mut().entry(USER_AGENT).or_insert(OWN_USER_AGENT);
        outgoing.headers_mut().entry(ACCEPT_ENCODING).or_insert(GZIP);
        Ok((outgoing, uri))
    }

    async fn exchange(&self, outgoing: http::Request<Full<Bytes>>) -> Result<Response, Failure> {
        let answer = self.client.request(outgoing).await.map_err(Failure::Client)?;
        let (mut head, body) = answer.into_parts();
        let coding = Coding::of(&head.headers);
        if coding != Coding::Plain {
            // They speak of the body as it was sent.
            head.headers.remove(CONTENT_ENCODING);
            head.headers.remove(CONTENT_LENGTH);
        }
        let body = body::collect(body, coding, self.max_response_bytes).await.map_err(Failure::Body)?;
        Ok(Response { status: head.status.as_u16(), headers: head.headers, body })
    }

    fn explain(&self, failure: Failure, uri: &Uri, sent: Sent) -> SendError {
        let host = host_of(uri);
        match failure {
            Failure::Client(error) => explain_client(error, host, sent),
            Failure::Body(BodyError::Broken(error)) => {
                SendError::new(kind_of(&error), Sent::Maybe, broken(host)).caused_by(error)
            }
            Failure::Body(BodyError::Damaged(error)) => {
                let message = format!("the answer of host {host} is said to be gzip, but can't be unpacked");
                SendError::new(Kind::Protocol, Sent::Maybe, message).caused_by(error)
            }
            Failure::Body(BodyError::UnknownCoding(name)) => {
                let message = format!("the answer of host {host} has the unknown content encoding `{name}`");
                SendError::new(Kind::Protocol, Sent::Maybe, message)
            }
            Failure::Body(BodyError::TooLarge) => {
                let message = format!("the answer of host {host} is larger than {} bytes", self.max_response_bytes);
                SendError::new(Kind::TooLarge, Sent::Maybe, message)
            }
        }
    }
}

fn refuse_zeros(options: &Options) -> Result<(), Error> {
    let zeros = [
        ("connect_timeout", options.connect_timeout.is_zero()),
        ("idle_timeout", options.idle_timeout.is_zero()),
        ("max_response_bytes", options.max_response_bytes == 0),
        ("max_request_bytes", options.max_request_bytes == 0),
    ];
    match zeros.into_iter().find(|(_, is_zero)| *is_zero) {
        Some((name, _)) => Err(Error::ZeroOption(name)),
        None => Ok(()),
    }
}

/// Refuses what would let a template reframe the message or reach another host over the checked connection.
fn check_head(method: &Method, headers: &HeaderMap) -> Result<(), SendError> {
    if *method == Method::CONNECT {
        return Err(SendError::unsent(Kind::Forbidden, "method CONNECT is not allowed"));
    }
    let is_framing = |name: &str| {
        matches!(
            name,
            "host"
                | "content-length"
                | "transfer-encoding"
                | "connection"
                | "keep-alive"
                | "proxy-connection"
                | "upgrade"
                | "te"
                | "trailer"
                | "expect"
        )
    };
    match headers.keys().find(|name| is_framing(name.as_str())) {
        Some(name) => Err(SendError::unsent(Kind::Forbidden, format!("header {name} is set by the client itself"))),
        None => Ok(()),
    }
}

/// The pool reports the connection that it picked before it hands the request over: none picked, nothing written.
fn sent(picked: &CaptureConnection) -> Sent {
    if picked.connection_metadata().is_some() { Sent::Maybe } else { Sent::No }
}

fn explain_client(error: legacy::Error, host: &str, sent: Sent) -> SendError {
    if let Some(refused) = find::<SendError>(&error) {
        return refused.clone();
    }
    let Some(cause) = find::<hyper::Error>(&error) else {
        let message = format!("no connection to host {host} was given");
        return SendError::new(Kind::Connect, sent, message).caused_by(error);
    };
    // The connection task gives a canceled request back without having taken it up.
    let sent = if cause.is_canceled() { Sent::No } else { sent };
    SendError::new(kind_of(cause), sent, broken(host)).caused_by(error)
}

fn broken(host: &str) -> String {
    format!("the exchange with host {host} broke off")
}

fn kind_of(error: &hyper::Error) -> Kind {
    if error.is_parse() || error.is_user() {
        return Kind::Protocol;
    }
    let is_tls = find::<std::io::Error>(error)
        .and_then(std::io::Error::get_ref)
        .is_some_and(|inner| inner.is::<rustls::Error>());
    if is_tls { Kind::Tls } else { Kind::Reset }
}

/// The first error of the wanted type in a chain of sources.
fn find<'a, E: std::error::Error + 'static>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a E> {
    std::iter::successors(Some(error), |error| error.source()).find_map(|error| error.downcast_ref::<E>())
}

fn host_of(uri: &Uri) -> &str {
    uri.host().unwrap_or_default()
}
