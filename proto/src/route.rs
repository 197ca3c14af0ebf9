//! The way to a peer's gRPC services.

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use tonic::{body::Body, service::Routes};
use tower::Service;

type Answer = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;

/// The way to a peer. Every generated client takes one, and can't tell a peer in this process from another.
#[derive(Clone)]
pub struct Route {
    peer: Peer,
}

#[derive(Clone)]
enum Peer {
    Local(Routes),
    Remote(Arc<dyn Fn(Request<Body>) -> Answer + Send + Sync>),
}

impl Route {
    /// A peer in this process: calls are function calls, no socket is used.
    #[must_use]
    pub fn local(services: Routes) -> Self {
        Self { peer: Peer::Local(services) }
    }

    /// A peer elsewhere. `call` answers every request: what went wrong on the way is a gRPC status in the answer.
    #[must_use]
    pub fn remote<F>(call: impl Fn(Request<Body>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        Self { peer: Peer::Remote(Arc::new(move |request| Box::pin(call(request)))) }
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.peer {
            Peer::Local(services) => formatter.debug_tuple("Local").field(services).finish(),
            Peer::Remote(_) => formatter.write_str("Remote"),
        }
    }
}

impl Service<Request<Body>> for Route {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Call;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        match &mut self.peer {
            Peer::Local(services) => <Routes as Service<Request<Body>>>::poll_ready(services, context),
            Peer::Remote(_) => Poll::Ready(Ok(())),
        }
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match &mut self.peer {
            Peer::Local(services) => Call { way: Way::Local(services.call(request)) },
            Peer::Remote(call) => Call { way: Way::Remote(call(request)) },
        }
    }
}

/// A call under way. A local one is not boxed here.
#[derive(Debug)]
#[must_use = "a call does nothing until it is awaited"]
pub struct Call {
    way: Way,
}

#[expect(clippy::large_enum_variant, reason = "a local call, the frequent one, needs no allocation")]
enum Way {
    Local(<Routes as Service<Request<Body>>>::Future),
    Remote(Answer),
}

impl fmt::Debug for Way {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Local(_) => "Local",
            Self::Remote(_) => "Remote",
        })
    }
}

impl Future for Call {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.way {
            Way::Local(future) => Pin::new(future).poll(context),
            Way::Remote(future) => future.as_mut().poll(context).map(Ok),
        }
    }
}
