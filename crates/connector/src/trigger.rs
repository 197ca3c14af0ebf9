//! Events that a partner tells about.

mod fire;
mod verify;

use std::{collections::BTreeMap, sync::Arc};

use http::{HeaderMap, HeaderName};
use patchbay_flow::expression::{Expression, Value};
use patchbay_types::Timestamp;
use serde_json::Value as Json;

use crate::{
    Field, FieldFault, Partner,
    form::{Form, Texts},
};

pub use verify::Refused;
pub(crate) use verify::{Hmac, SignedPart, Verification};

/// A compiled trigger: what a person fills in, and how the partner's calls become events.
#[derive(Debug)]
pub struct Trigger {
    pub(crate) partner: Arc<Partner>,
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) id: u64,
    pub(crate) title: String,
    pub(crate) titles: BTreeMap<String, String>,
    pub(crate) description: String,
    pub(crate) deprecated: bool,
    pub(crate) form: Form,
    pub(crate) sample: Json,
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
    /// The key inside its partner, such as `contact_created`.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The name that automations use, such as `sandbox-crm.contact_created`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The stable number of the Universal API.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Whose events they are.
    #[must_use]
    pub fn partner(&self) -> &Partner {
        &self.partner
    }

    /// What people read.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The title by language, where it differs.
    #[must_use]
    pub fn titles(&self) -> &BTreeMap<String, String> {
        &self.titles
    }

    /// A longer explanation; may be empty.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Whether new automations should not use it.
    #[must_use]
    pub fn deprecated(&self) -> bool {
        self.deprecated
    }

    /// Its parameters, in the order of the form.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.form.fields
    }

    /// An example of an event; null when there is none.
    #[must_use]
    pub fn sample(&self) -> &Json {
        &self.sample
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
    /// When an expression of the manifest can't read the call; the fault names the expression.
    pub fn fire(
        &self,
        connection: &Value,
        parameters: &Value,
        headers: &HeaderMap,
        body: &Value,
    ) -> Result<Vec<Fired>, FieldFault> {
        self.events(connection, parameters, headers, body)
    }

    /// The status and the text that the partner wants to hear when its call was taken.
    #[must_use]
    pub fn respond(&self) -> (u16, &str) {
        (self.status, &self.body)
    }
}
