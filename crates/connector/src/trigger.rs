//! Events that a partner tells about.

mod fire;
mod verify;

use http::{HeaderMap, HeaderName};
use patchbay_flow::expression::{Expression, Value};
use patchbay_types::Timestamp;
use serde_json::Value as Json;

use crate::{
    Field, FieldFault,
    about::About,
    form::{Form, Texts},
};

pub use fire::Unread;
pub use verify::Refused;
pub(crate) use verify::{Hmac, SignedPart, Verification};

/// A compiled trigger: what a person fills in, and how the partner's calls become events.
#[derive(Debug)]
pub struct Trigger {
    pub(crate) about: About,
    pub(crate) form: Form,
    pub(crate) webhook: Option<Webhook>,
}

/// The partner calls an address of ours.
#[derive(Debug)]
pub struct Webhook {
    pub(crate) batch: Option<Expression>,
    pub(crate) select: Option<Expression>,
    pub(crate) event_id: Option<Expression>,
    /// Whether an expression looks at headers.
    pub(crate) sees_headers: bool,
    /// Whether verification or an expression looks at the connection.
    pub(crate) uses_connection: bool,
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) verification: Verification,
}

/// One event of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Fired {
    /// What automations see as `trigger`.
    pub payload: Value,
    /// The same for the same fact; without it equal payloads are the same fact.
    pub event_id: Option<String>,
}

impl Trigger {
    /// Its parameters, in the order of the form.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.form.fields
    }

    /// The ways by which the partner tells, the usual one first.
    #[must_use]
    pub fn modes(&self) -> Vec<&'static str> {
        self.webhook.iter().map(|_| "webhook").collect()
    }

    /// How the partner calls an address of ours, when it does.
    #[must_use]
    pub fn webhook(&self) -> Option<&Webhook> {
        self.webhook.as_ref()
    }

    /// Checks the parameters, which are constants.
    ///
    /// # Errors
    /// Every parameter that is unknown, missing, of a wrong type, or a template.
    pub fn validate_parameters(&self, parameters: &Json) -> Result<(), Vec<FieldFault>> {
        self.form.validate(parameters, Texts::Constants)
    }

    /// Brings the parameters into their types: defaults are filled in, what is not shown is left out.
    ///
    /// # Errors
    /// The first parameter that is unknown, can't be brought into its type, or is required and missing.
    pub fn coerce_parameters(&self, parameters: Value) -> Result<Value, FieldFault> {
        self.form.coerce(&parameters)
    }
}

impl Webhook {
    /// Whether verification or an expression looks at the connection's fields; otherwise any value will do for it.
    #[must_use]
    pub fn uses_connection(&self) -> bool {
        self.uses_connection
    }

    /// Checks that a call is the partner's: its signature or token, compared in constant time, and its age.
    ///
    /// # Errors
    /// Why the call is refused, without any secret.
    pub fn verify(&self, connection: &Value, headers: &HeaderMap, raw: &[u8], now: Timestamp) -> Result<(), Refused> {
        self.verification.check(connection, headers, raw, now)
    }

    /// The headers that carry signatures or secrets, which are nobody's business later.
    #[must_use]
    pub fn verification_headers(&self) -> Vec<HeaderName> {
        self.verification.headers()
    }

    /// The events of a call: its body is split into items by `batch`, and `select` says which of them are events.
    ///
    /// # Errors
    /// When an expression of the manifest can't read the call, or the call has too many items.
    pub fn fire(
        &self,
        connection: &Value,
        parameters: &Value,
        headers: &HeaderMap,
        body: &Value,
    ) -> Result<Vec<Fired>, Unread> {
        self.events(connection, parameters, headers, body)
    }

    /// The status and the text that the partner wants to hear when its call was taken.
    #[must_use]
    pub fn respond(&self) -> (u16, &str) {
        (self.status, &self.body)
    }
}
