//! One thing that can be done at a partner.

mod input;
mod interpret;
mod request;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use patchbay_flow::expression::Expression;

use crate::{
    CustomFields, Field, Partner, RowSection,
    call::{Http, RequestTemplate},
    form::Form,
};

/// A compiled action: checks its input, builds its request, reads the partner's answer.
#[derive(Debug)]
pub struct Operation {
    pub(crate) partner: Arc<Partner>,
    pub(crate) http: Arc<Http>,
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) id: u64,
    pub(crate) title: String,
    pub(crate) titles: BTreeMap<String, String>,
    pub(crate) description: String,
    pub(crate) deprecated: bool,
    pub(crate) safe_to_repeat: bool,
    pub(crate) timeout: Duration,
    pub(crate) form: Form,
    pub(crate) request: RequestTemplate,
    /// Stands in for the success of the whole partner.
    pub(crate) success: Option<Expression>,
    /// Whether an expression of it looks at headers.
    pub(crate) sees_headers: bool,
    pub(crate) output: Vec<(String, Expression)>,
    pub(crate) sample: serde_json::Value,
}

impl Operation {
    /// The key inside its partner, such as `import_profile`.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The name that automations use, such as `altcraft.import_profile`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The stable number of the Universal API.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Whose operation it is.
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

    /// An example of its output; null when there is none.
    #[must_use]
    pub fn sample(&self) -> &serde_json::Value {
        &self.sample
    }
}
