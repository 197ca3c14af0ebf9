//! Bodies of requests.

use std::time::Duration;

use axum::{
    body::Body,
    extract::{FromRequest, Request},
    http::{HeaderMap, header::CONTENT_TYPE},
};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use patchbay_service::problem::Problem;
use patchbay_types::{
    fault::{Code, Fault},
    json,
};
use serde::de::DeserializeOwned;

/// The largest body, in bytes.
pub(super) const LARGEST: usize = 1024 * 1024;
const DEADLINE: Duration = Duration::from_secs(30);

/// A JSON body of this shape.
#[derive(Debug)]
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (head, body) = request.into_parts();
        if !is_json(&head.headers) {
            return Err(Problem(Fault::new(Code::UnsupportedMedia, "send the body as content type application/json")));
        }
        let body = read(body).await?;
        let value = serde_json::from_slice(&json::harmless(&body))
            .map_err(|error| Problem(Fault::invalid(format!("the body can't be used: {error}"))))?;
        Ok(Self(value))
    }
}

/// The whole body, within bounds of size and time.
pub(super) async fn read(body: Body) -> Result<Bytes, Problem> {
    read_up_to(body, LARGEST).await
}

/// As [`read`], with another bound in bytes.
pub(super) async fn read_up_to(body: Body, largest: usize) -> Result<Bytes, Problem> {
    let reading = tokio::time::timeout(DEADLINE, Limited::new(body, largest).collect());
    match reading.await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Problem(Fault::new(Code::TooLarge, format!("the body is larger than {largest} bytes"))))
        }
        Ok(Err(_)) => Err(Problem(Fault::invalid("the body ended before it was complete"))),
        Err(_) => Err(Problem(Fault::new(Code::Timeout, "the body took too long to arrive; send it again"))),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}
