//! Faults as HTTP answers: `application/problem+json` (RFC 9457) with a stable `code`.

use axum::{
    body::Body,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use patchbay_types::Fault;
use serde_json::json;

/// An answer that says what went wrong.
#[derive(Debug)]
pub struct Problem(pub Fault);

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self(fault)
    }
}

/// The answer `405` to a method that a path does not take. The router adds the header `Allow`.
pub fn method_not_allowed(detail: &str) -> Response {
    let status = StatusCode::METHOD_NOT_ALLOWED;
    let body = json!({
        "type": "about:blank",
        "title": "Method Not Allowed",
        "status": status.as_u16(),
        "code": "method_not_allowed",
        "detail": detail,
    });
    (status, [(header::CONTENT_TYPE, "application/problem+json")], Body::from(body.to_string())).into_response()
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Fault { code, message, field } = self.0;
        let status = StatusCode::from_u16(code.http()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut body = json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or("Error"),
            "status": status.as_u16(),
            "code": code.name(),
            "detail": message,
        });
        if let (Some(field), Some(object)) = (field, body.as_object_mut()) {
            object.insert("field".to_owned(), field.into());
        }
        (status, [(header::CONTENT_TYPE, "application/problem+json")], Body::from(body.to_string())).into_response()
    }
}
