//! A request that a partner got, and the answer that it gives.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use futures_util::stream;
use serde::Serialize;

/// The largest body that partners take, in bytes.
pub(crate) const BODY_LIMIT: usize = 10 * 1024 * 1024;

/// How long a caller may take to send the body.
const BODY_DEADLINE: Duration = Duration::from_secs(30);

/// One request, wholly read.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    /// `None` when it was larger than [`BODY_LIMIT`] or did not arrive whole in time.
    pub(crate) body: Option<Bytes>,
}

impl Call {
    pub(crate) async fn read(request: Request) -> Self {
        let (parts, body) = request.into_parts();
        Self {
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            method: parts.method,
            headers: parts.headers,
            body: read_body(body).await,
        }
    }

    /// The path as it is compared: without trailing slashes.
    pub(crate) fn route(&self) -> &str {
        route(&self.path)
    }

    /// The first value of a query parameter.
    pub(crate) fn query_value(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

/// A path without trailing slashes; the root stays `/`.
pub(crate) fn route(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" => "/",
        route => route,
    }
}

async fn read_body(body: Body) -> Option<Bytes> {
    if body.size_hint().lower() > BODY_LIMIT as u64 {
        return None;
    }
    tokio::time::timeout(BODY_DEADLINE, to_bytes(body, BODY_LIMIT)).await.ok()?.ok()
}

/// What is sent back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content_type: HeaderValue,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
}

impl Answer {
    /// `value` as JSON.
    pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Self {
        let body = serde_json::to_vec(value).unwrap_or_default();
        Self {
            status,
            content_type: HeaderValue::from_static("application/json"),
            headers: Vec::new(),
            body: Bytes::from(body),
        }
    }

    pub(crate) fn text(status: StatusCode, text: &str) -> Self {
        Self {
            status,
            content_type: HeaderValue::from_static("text/plain; charset=utf-8"),
            headers: Vec::new(),
            body: Bytes::copy_from_slice(text.as_bytes()),
        }
    }

    pub(crate) fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        response.headers_mut().insert(header::CONTENT_TYPE, self.content_type);
        response.headers_mut().extend(self.headers);
        response
    }
}

/// A response that never reaches the wire: its body fails before the buffered head is flushed,
/// upon which the server closes the connection.
pub(crate) fn closed_connection() -> Response {
    let failure = std::io::Error::other("closed by a fault");
    Response::new(Body::from_stream(stream::iter([Err::<Bytes, _>(failure)])))
}
