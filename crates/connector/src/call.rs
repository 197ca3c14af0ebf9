//! What all calls to one partner have in common, and how one is described.

mod answer;
mod auth;
mod request;

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use patchbay_flow::expression::{Expression, Template, Value};

pub(crate) use answer::{header_values, misread, parse_body, unanswered};
pub(crate) use auth::Auth;

use crate::{manifest::document::ActionKind, outcome::ErrorClass};

/// What all calls to one partner have in common.
#[derive(Debug)]
pub(crate) struct Http {
    pub(crate) base_url: Template,
    pub(crate) timeout: Duration,
    pub(crate) success: Expression,
    pub(crate) errors: Vec<ErrorRule>,
    /// Whether an error rule looks at headers. They are put together only where somebody looks.
    pub(crate) errors_see_headers: bool,
    pub(crate) idempotency: Option<HeaderName>,
    pub(crate) auth: Auth,
    /// Names of the connection's fields that no failure may show.
    pub(crate) secret_fields: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct ErrorRule {
    pub(crate) when: Expression,
    pub(crate) action: ActionKind,
    pub(crate) class: Option<ErrorClass>,
    pub(crate) message: Option<Template>,
    pub(crate) known: Option<bool>,
}

/// One call.
#[derive(Debug)]
pub(crate) struct RequestTemplate {
    pub(crate) method: http::Method,
    pub(crate) path: Template,
    pub(crate) query: Vec<(String, Template)>,
    pub(crate) headers: Vec<(HeaderName, Template)>,
    pub(crate) body: BodyTemplate,
}

#[derive(Debug)]
pub(crate) enum BodyTemplate {
    None,
    Json(Template),
    Form(Vec<(String, Template)>),
    Text(Template, HeaderValue),
}

/// What one call has besides what its template says.
#[derive(Debug, Default)]
pub(crate) struct Extra<'call> {
    /// By which the partner does the same call only once.
    pub(crate) step_key: Option<&'call str>,
    pub(crate) query: &'call [(&'call str, Value)],
    /// Put into a JSON body.
    pub(crate) json: &'call [(&'call str, Value)],
    /// Stands in for base URL, path and query.
    pub(crate) url: Option<&'call str>,
}
