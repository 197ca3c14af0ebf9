//! What is kept of the steps of a run: the journal while it is open, the record when it is over.

use patchbay_connector::Failure;
use patchbay_flow::expression::{self, Value};
use patchbay_store::payload;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// One step as it stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StepRecord {
    pub(crate) key: String,
    pub(crate) operation: String,
    pub(crate) status: StepStatus,
    pub(crate) attempts: u32,
    #[serde(default)]
    pub(crate) input: Option<Box<RawValue>>,
    #[serde(default)]
    pub(crate) output: Option<Box<RawValue>>,
    #[serde(default)]
    pub(crate) error: Option<StepError>,
}

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StepStatus {
    Pending,
    Running,
    Waiting,
    Succeeded,
    Failed,
    Cancelled,
    OutcomeUnknown,
}

impl StepStatus {
    /// The stable name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::OutcomeUnknown => "outcome_unknown",
        }
    }
}

/// Why the last try of a step failed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StepError {
    pub(crate) class: String,
    pub(crate) message: String,
    pub(crate) partner_status: Option<u16>,
}

impl From<&Failure> for StepError {
    fn from(failure: &Failure) -> Self {
        Self {
            class: failure.class.name().to_owned(),
            message: failure.message.clone(),
            partner_status: failure.partner_status,
        }
    }
}

/// What is shown of a run that could not begin, because its automation or its row can't be read.
pub(crate) fn unbegun(class: &str, message: &str) -> Vec<u8> {
    let error = StepError { class: class.to_owned(), message: message.to_owned(), partner_status: None };
    pack(&[StepRecord {
        key: "automation".to_owned(),
        operation: String::new(),
        status: StepStatus::Failed,
        attempts: 0,
        input: None,
        output: None,
        error: Some(error),
    }])
}

/// The stored form of all steps that were begun.
pub(crate) fn pack(steps: &[StepRecord]) -> Vec<u8> {
    match serde_json::to_vec(steps) {
        Ok(json) => payload::pack(&json),
        Err(error) => {
            tracing::error!(%error, "steps can't be written as JSON");
            payload::pack(b"[]")
        }
    }
}

/// The steps that were stored; none when nothing was.
pub(crate) fn unpack(stored: &[u8]) -> Result<Vec<StepRecord>, String> {
    if stored.is_empty() {
        return Ok(Vec::new());
    }
    let json = payload::unpack(stored).map_err(|error| error.to_string())?;
    serde_json::from_slice(&json).map_err(|error| error.to_string())
}

/// A value as JSON text; nothing when it can't be written.
pub(crate) fn raw(value: &Value) -> Option<Box<RawValue>> {
    let text = String::from_utf8(expression::to_json(value).ok()?).ok()?;
    RawValue::from_string(text).ok()
}

/// The value of JSON text.
pub(crate) fn value(raw: Option<&RawValue>) -> Value {
    raw.and_then(|raw| expression::parse_json(raw.get().as_bytes()).ok()).unwrap_or_default()
}
