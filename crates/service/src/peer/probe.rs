//! Looking whether a peer is there, and lets us in.

use std::{sync::Arc, time::Duration};

use axum::http::{HeaderValue, Request, header};
use tonic::{Code, Status, body::Body};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tower::service_fn;

use super::{
    Options,
    link::{Failure, Link},
    state::{State, Trouble},
};
use crate::Role;

/// An answer may come this much later than the longest attempt to connect, so that the attempt says what failed.
const MARGIN: Duration = Duration::from_millis(100);
/// Looks follow each other no faster, whatever is configured.
const LEAST_PAUSE: Duration = Duration::from_millis(10);

/// How a peer's addresses are looked at.
#[derive(Debug, Clone)]
pub(crate) struct Probe {
    role: Role,
    token: HeaderValue,
    timeout: Duration,
    pause: Duration,
}

impl Probe {
    pub(crate) fn new(role: Role, token: HeaderValue, options: &Options) -> Self {
        let timeout = options.connect_timeout + MARGIN;
        Self { role, token, timeout, pause: options.probe_every.max(LEAST_PAUSE) }
    }

    /// Looks at an address again and again, as long as it is the peer's.
    pub(crate) async fn run(self, link: Arc<Link>) {
        loop {
            let Some(state) = link.gone.or(self.look(&link)).await else { return };
            link.saw(state);
            if link.gone.or(tokio::time::sleep(self.pause)).await.is_none() {
                return;
            }
        }
    }

    async fn look(&self, link: &Link) -> State {
        let send = service_fn(|mut request: Request<Body>| {
            request.headers_mut().insert(header::AUTHORIZATION, self.token.clone());
            link.send(request)
        });
        let question = HealthCheckRequest { service: self.role.service().to_owned() };
        let mut client = HealthClient::new(send);
        match tokio::time::timeout(self.timeout, client.check(question)).await {
            Ok(Ok(answer)) if answer.get_ref().status() == ServingStatus::Serving => State::Ready,
            Ok(Ok(_)) => State::Waiting,
            Ok(Err(status)) => State::Down(self.reason(link, &status)),
            Err(_) => {
                let cause = format!("no answer within {:?}", self.timeout - MARGIN);
                State::Down(link.said(&Trouble::unreachable(cause)))
            }
        }
    }

    fn reason(&self, link: &Link, status: &Status) -> String {
        let own = std::error::Error::source(status).and_then(|source| source.downcast_ref::<Failure>());
        if let Some(failure) = own {
            return failure.to_string();
        }
        link.said(&match status.code() {
            Code::Unauthenticated => refuses_token(),
            Code::NotFound => Trouble::new(
                "has another role",
                format!("nobody is {0} there; see peers.{0} and the --roles of that process", self.role),
            ),
            Code::Unimplemented => Trouble::new("is no gRPC listener of Patchbay", "it has no health service"),
            _ => Trouble::unreachable(format!("its health service answers {}", status.message())),
        })
    }
}

pub(crate) fn refuses_token() -> Trouble {
    Trouble::new("refuses the service token", "set the same service_auth.token in both")
}
