//! What can be done at a partner, and what it tells about.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{FieldSection, ModesSection, RequestSection, RowSectionSection, Seconds};

/// An action or a trigger. A published one keeps its key, its id and the names of its fields for ever.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    { "properties": { "kind": { "const": "action" } }, "required": ["request"] },
    { "properties": { "kind": { "const": "trigger" } }, "required": ["modes"] },
]))]
pub(crate) struct OperationSection {
    /// The stable key: small letters, digits, `_` and `-`.
    pub(crate) key: String,
    /// The stable number, never used again for another.
    pub(crate) id: u64,
    /// Whether it does something or tells about something; this says what other keys there are.
    pub(crate) kind: OperationKind,
    /// What people read.
    pub(crate) title: String,
    /// The title by language code, where it differs.
    #[serde(default)]
    pub(crate) titles: BTreeMap<String, String>,
    /// A longer explanation.
    #[serde(default)]
    pub(crate) description: String,
    /// Whether new automations should not use it.
    #[serde(default)]
    pub(crate) deprecated: bool,
    /// Of an action: whether doing it twice does no more than doing it once; false when it is not here.
    pub(crate) safe_to_repeat: Option<bool>,
    /// Of an action: how long one call may take, in place of `http.timeout`; at most `10m`.
    pub(crate) timeout: Option<Seconds>,
    /// What a person fills in, in the order of the form. Of a trigger these are constants.
    #[serde(default)]
    pub(crate) fields: Vec<FieldSection>,
    /// Of an action: parts of the form that are filled in any number of times.
    #[serde(default)]
    pub(crate) row_sections: Vec<RowSectionSection>,
    /// Of an action: the call; its templates see `connection` and `input`.
    pub(crate) request: Option<RequestSection>,
    /// Of an action: expressions of what later steps see, by name; they see `status`, `headers`, `body` and `input`.
    #[serde(default)]
    pub(crate) output: BTreeMap<String, String>,
    /// An example of an action's output or of a trigger's event.
    #[serde(default)]
    pub(crate) sample: serde_json::Value,
    /// Of a trigger: an expression that gives the same id whenever the same fact is told; sees `item`, `body`,
    /// `headers` and `input`. Without it equal data is the same fact.
    pub(crate) event_id: Option<String>,
    /// Of a trigger: the ways by which the partner tells, the usual one first.
    pub(crate) modes: Option<ModesSection>,
}

/// Whether an operation does something or tells about something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OperationKind {
    /// A call to the partner.
    Action,
    /// Events of the partner.
    Trigger,
}

impl OperationSection {
    pub(crate) fn is_action(&self) -> bool {
        self.kind == OperationKind::Action
    }
}
