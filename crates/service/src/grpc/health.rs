//! gRPC's health service (<https://github.com/grpc/grpc/blob/master/doc/health-checking.md>), told by the checks.

use std::{pin::Pin, sync::Arc, time::Duration};

use futures_util::{Stream, stream};
use patchbay_runtime::Shutdown;
use tonic::{Request, Response, Status};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus, health_server};

use super::catalogue::Catalogue;
use crate::Check;

/// How often those who watch are told of changes.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What the checks say.
#[derive(Debug, Clone)]
pub(crate) struct Health {
    checks: Arc<Vec<Check>>,
    catalogue: Catalogue,
    shutdown: Shutdown,
}

impl Health {
    pub(crate) const fn new(checks: Arc<Vec<Check>>, catalogue: Catalogue, shutdown: Shutdown) -> Self {
        Self { checks, catalogue, shutdown }
    }

    fn status(&self) -> ServingStatus {
        if !self.shutdown.has_begun() && self.checks.iter().all(|check| check.holds().is_ok()) {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        }
    }

    fn of(&self, service: &str) -> Option<ServingStatus> {
        (service.is_empty() || self.catalogue.has(service)).then(|| self.status())
    }
}

type Watch = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

fn answer(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

#[tonic::async_trait]
impl health_server::Health for Health {
    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        let service = request.into_inner().service;
        let status = self.of(&service);
        let status = status.ok_or_else(|| Status::not_found("this process has no such service"))?;
        Ok(Response::new(answer(status)))
    }

    type WatchStream = Watch;

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<Watch>, Status> {
        let service = request.into_inner().service;
        let changes = stream::unfold((self.clone(), None), move |(health, before)| {
            let service = service.clone();
            async move {
                loop {
                    let status = health.of(&service).unwrap_or(ServingStatus::ServiceUnknown);
                    if before != Some(status) {
                        return Some((Ok(answer(status)), (health, Some(status))));
                    }
                    // The last that is told is that the end has begun.
                    if health.shutdown.has_begun() {
                        return None;
                    }
                    let _ = health.shutdown.or(tokio::time::sleep(LOOK_EVERY)).await;
                }
            }
        });
        Ok(Response::new(Box::pin(changes)))
    }
}
