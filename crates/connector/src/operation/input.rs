//! A step's input: checked while it is still templates, and brought into its types once they are rendered.

use patchbay_flow::expression::Value;

use super::Operation;
use crate::{FieldFault, form::Texts};

impl Operation {
    /// Checks the input of a step as it is written, with templates not rendered. A field that is shown or required
    /// only under a condition is checked as far as constants decide the condition.
    ///
    /// # Errors
    /// Every field that is unknown, missing, a constant of a wrong type, or a template that can't be compiled. Fields
    /// of row sections are named like `emails[0].value`.
    pub fn validate_input(&self, input: &serde_json::Value) -> Result<(), Vec<FieldFault>> {
        self.form.validate(input, Texts::Templates)
    }

    /// Brings the rendered input of a step into the types of the fields: defaults are filled in, fields that stand
    /// for nothing or are not shown are left out, custom fields are merged.
    ///
    /// # Errors
    /// The first field that is unknown, can't be brought into its type, or is required and missing.
    pub fn coerce(&self, rendered: Value) -> Result<Value, FieldFault> {
        self.form.coerce(&rendered)
    }
}
