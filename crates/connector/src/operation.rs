//! One thing that can be done at a partner.

mod input;
mod interpret;
mod request;

use std::{sync::Arc, time::Duration};

use patchbay_flow::expression::Expression;

use crate::{
    CustomFields, Field, RowSection,
    about::About,
    call::{Http, RequestTemplate},
    form::Form,
};

/// A compiled action: checks its input, builds its request, reads the partner's answer.
#[derive(Debug)]
pub struct Operation {
    pub(crate) about: About,
    pub(crate) http: Arc<Http>,
    pub(crate) safe_to_repeat: bool,
    pub(crate) timeout: Duration,
    pub(crate) form: Form,
    pub(crate) request: RequestTemplate,
    /// Stands in for the success of the whole partner.
    pub(crate) success: Option<Expression>,
    /// Whether an expression of it looks at headers.
    pub(crate) sees_headers: bool,
    pub(crate) output: Vec<(String, Expression)>,
}

impl Operation {
    /// Whether doing it twice does no more than doing it once.
    #[must_use]
    pub fn safe_to_repeat(&self) -> bool {
        self.safe_to_repeat
    }

    /// The header that carries the step key, for partners that then do the same call once.
    #[must_use]
    pub fn idempotency_header(&self) -> Option<&http::HeaderName> {
        self.http.idempotency.as_ref()
    }

    /// How long one call may take.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// What a step gives it, in the order of the form.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.form.fields
    }

    /// Parts of the form that are filled in any number of times.
    #[must_use]
    pub fn row_sections(&self) -> &[RowSection] {
        &self.form.row_sections
    }

    /// The fields that the account defines, when the operation takes them.
    #[must_use]
    pub fn custom_fields(&self) -> Option<&CustomFields> {
        self.form.custom_fields.as_ref()
    }
}
