//! The way to a peer's gRPC services.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use http::{Request, Response};
use tonic::{body::Body, service::Routes};
use tower::Service;

/// The way to a peer. Every generated client takes one, and can't tell a peer in this process from another.
#[derive(Debug, Clone)]
pub struct Route {
    services: Routes,
}

impl Route {
    /// A peer in this process: calls are function calls, no socket is used.
    #[must_use]
    pub fn local(services: Routes) -> Self {
        Self { services }
    }
}

impl Service<Request<Body>> for Route {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = <Routes as Service<Request<Body>>>::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        <Routes as Service<Request<Body>>>::poll_ready(&mut self.services, context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.services.call(request)
    }
}
