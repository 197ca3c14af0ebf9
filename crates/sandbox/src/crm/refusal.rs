//! The shape of every error.

use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::call::Answer;
use crate::crm::BODY_LIMIT;
use crate::crm::webhooks::{WEBHOOKS_LIMIT, WebhookError};

/// An answer that says what was wrong, and with which field or parameter.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
    field: Option<&'static str>,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), field: None }
    }

    pub(crate) fn unauthorized(message: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    pub(crate) fn method(method: &Method) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", format!("this path does not take {method}"))
    }

    /// The body is not what it should be as a whole.
    pub(crate) fn body(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_body", message)
    }

    pub(crate) fn too_large(what: &str) -> Self {
        let message = format!("{what} is larger than {BODY_LIMIT} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
    }

    /// One field of the body, or one parameter of the query.
    pub(crate) fn field(field: &'static str, message: &str) -> Self {
        let message = format!("{field} {message}");
        Self { field: Some(field), ..Self::new(StatusCode::BAD_REQUEST, "invalid", message) }
    }

    /// More waits to be delivered than the CRM remembers.
    pub(crate) fn busy() -> Self {
        let message =
            "too many deliveries to webhooks wait: try again later, or delete the webhook that does not answer";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message)
    }

    pub(crate) fn into_answer(self) -> Answer {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let Some(field) = self.field {
            error["field"] = json!(field);
        }
        Answer::json(self.status, &json!({ "error": error }))
    }
}

impl From<WebhookError> for Refusal {
    fn from(error: WebhookError) -> Self {
        match error {
            WebhookError::TooLong | WebhookError::Url => {
                let message = error.to_string();
                Self { field: Some("url"), ..Self::new(StatusCode::BAD_REQUEST, "invalid", message) }
            }
            WebhookError::TooMany => {
                let message = format!("there are already {WEBHOOKS_LIMIT} webhooks: delete some");
                Self::new(StatusCode::CONFLICT, "too_many", message)
            }
        }
    }
}
