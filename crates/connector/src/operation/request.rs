//! The call of an operation.

use patchbay_egress::Request;
use patchbay_flow::expression::{Name, Scope, Value};

use super::Operation;
use crate::{FieldFault, call::Extra};

impl Operation {
    /// Builds the call from the connection's fields (with defaults, secrets open) and the coerced input. The step
    /// key goes into the idempotency header when the partner takes one.
    ///
    /// # Errors
    /// When a template of the manifest gives nothing usable over these fields; the fault names the part of the
    /// request.
    pub fn request(&self, connection: &Value, input: &Value, step_key: &str) -> Result<Request, FieldFault> {
        let scope = Scope::new().with(Name::Connection, connection.clone()).with(Name::Input, input.clone());
        let extra = Extra { step_key: Some(step_key), ..Extra::default() };
        self.request.build(&self.http, &scope, self.timeout, &extra)
    }
}
