//! Doors: what comes before the roles are there waits a little, then is told to come again.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::Request, response::Response, routing::any};
use http::{HeaderValue, header};
use patchbay_service::problem::Problem;
use patchbay_types::{Fault, fault::Code};
use tokio::sync::SetOnce;
use tonic::{Status, service::Routes};
use tower::{Service, ServiceExt};

/// How long a request may wait for the roles: a start takes less, and those who call wait longer.
const PATIENCE: Duration = Duration::from_secs(2);
const AFTER: HeaderValue = HeaderValue::from_static("1");
const STARTING: &str = "the process is still starting; try again";

/// What is behind it, once that is there. Clones are the same door.
#[derive(Debug)]
pub(super) struct Door<T>(Arc<SetOnce<T>>);

impl<T> Clone for Door<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Door<T> {
    fn default() -> Self {
        Self(Arc::new(SetOnce::new()))
    }
}

impl<T: Clone> Door<T> {
    /// Only the first call does something.
    pub(super) fn open(&self, behind: T) {
        let _ = self.0.set(behind);
    }

    async fn wait(&self) -> Option<T> {
        tokio::time::timeout(PATIENCE, self.0.wait()).await.ok().cloned()
    }
}

impl Door<Router> {
    /// What answers a new connection: what is behind the open door, without a detour.
    pub(super) fn router(&self) -> Router {
        if let Some(router) = self.0.get() {
            return router.clone();
        }
        let door = self.clone();
        Router::new().fallback(async move |request: Request| door.http(request).await)
    }

    async fn http(&self, request: Request) -> Response {
        match self.wait().await {
            Some(router) => match router.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            },
            None => starting(),
        }
    }
}

impl Door<Routes> {
    /// What answers the calls of other processes: these services, and no others.
    pub(super) fn routes(&self, services: impl Iterator<Item = &'static str>) -> Routes {
        let mut router = Routes::default().into_axum_router();
        for service in services {
            let door = self.clone();
            let call = any(async move |request: Request| door.grpc(request).await);
            router = router.route(&format!("/{service}/{{*method}}"), call);
        }
        router.into()
    }

    async fn grpc(&self, request: Request) -> Response {
        let response = match self.wait().await {
            Some(mut routes) => {
                let answered: Result<_, Infallible> = routes.call(request).await;
                match answered {
                    Ok(response) => response,
                    Err(never) => match never {},
                }
            }
            None => Status::unavailable(STARTING).into_http(),
        };
        response.map(Body::new)
    }
}

fn starting() -> Response {
    let mut response = axum::response::IntoResponse::into_response(Problem(Fault::new(Code::Unavailable, STARTING)));
    response.headers_mut().insert(header::RETRY_AFTER, AFTER);
    response
}

#[cfg(test)]
mod tests {
    use axum::routing::get;

    use super::*;

    async fn ask(router: Router) -> u16 {
        let request = Request::builder().uri("/here").body(Body::empty()).unwrap();
        router.oneshot(request).await.unwrap().status().as_u16()
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_too_early_is_told_to_come_again() {
        assert_eq!(ask(Door::<Router>::default().router()).await, 503);
    }

    #[tokio::test]
    async fn who_waits_at_the_door_comes_in_when_it_opens() {
        let door = Door::<Router>::default();
        let waiting = ask(door.router());
        let opening = async { door.open(Router::new().route("/here", get(async || "welcome"))) };
        assert_eq!(tokio::join!(waiting, opening).0, 200);
        assert_eq!(ask(door.router()).await, 200);
    }
}
