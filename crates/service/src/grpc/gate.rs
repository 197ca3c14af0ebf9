//! Nobody comes in without the service token.

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use tonic::Status;

use crate::access::ServiceToken;

/// Tells a caller that not the method refused it: nothing was done.
pub(crate) const REFUSED: HeaderName = HeaderName::from_static("patchbay-refused");

/// What anybody may ask, without a token.
const OPEN: [&str; 2] = ["/grpc.health.v1.Health/", "/grpc.reflection.v1.ServerReflection/"];

pub(crate) async fn check(State(token): State<ServiceToken>, request: Request, next: Next) -> Response {
    let shown = request.headers().get(header::AUTHORIZATION);
    let path = request.uri().path();
    let refusal = match shown {
        Some(shown) if token.is_in(shown) => None,
        Some(_) => Some("the service token is another; set the same service_auth.token in both processes"),
        None if OPEN.iter().any(|open| path.starts_with(open)) => None,
        None => Some("the service token is missing; send service_auth.token as `authorization: Bearer …`"),
    };
    let Some(refusal) = refusal else { return next.run(request).await };
    let mut response = Status::unauthenticated(refusal).into_http();
    response.headers_mut().insert(REFUSED, HeaderValue::from_static("token"));
    response
}
