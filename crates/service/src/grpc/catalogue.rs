//! Which services this process has.

use std::{convert::Infallible, sync::Arc};

use axum::{
    body::Body,
    http::Request,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use patchbay_proto::{DESCRIPTORS, Method};
use tonic::service::Routes;
use tonic_reflection::server::{
    Builder, Error,
    v1::{ServerReflection, ServerReflectionServer},
};
use tower::ServiceExt;

const HEALTH: &str = "grpc.health.v1.Health";
const REFLECTION: &str = "grpc.reflection.v1.ServerReflection";

/// The names of the services that are served here.
#[derive(Debug, Clone)]
pub(crate) struct Catalogue {
    services: Arc<[&'static str]>,
}

/// Marks the answer to a request that no service took.
#[derive(Debug, Clone, Copy)]
struct Nobody;

impl Catalogue {
    /// Asks the routes, which don't list what they hold, for each service that there is.
    pub(crate) fn of(routes: Routes) -> Self {
        let router = routes.into_axum_router().fallback(async || {
            let mut response = ().into_response();
            response.extensions_mut().insert(Nobody);
            response
        });
        let mut services = Vec::new();
        let mut known: Vec<_> = Method::ALL.iter().map(Method::service).collect();
        known.dedup();
        for service in known {
            // No service has a method without a name, so nothing happens.
            let Ok(request) = Request::post(format!("/{service}/-")).body(Body::empty()) else { continue };
            // Who has to think about it is there.
            let answer = router.clone().oneshot(request).now_or_never();
            let is_nobody =
                |Ok(response): Result<Response, Infallible>| response.extensions().get::<Nobody>().is_some();
            if !answer.is_some_and(is_nobody) {
                services.push(service);
            }
        }
        services.extend([HEALTH, REFLECTION]);
        Self { services: services.into() }
    }

    pub(crate) fn has(&self, service: &str) -> bool {
        self.services.contains(&service)
    }

    /// The reflection service, which lists these services.
    pub(crate) fn reflection(&self) -> Result<ServerReflectionServer<impl ServerReflection>, Error> {
        let mut builder = Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
        for service in self.services.iter() {
            builder = builder.with_service_name(*service);
        }
        builder.build_v1()
    }
}
