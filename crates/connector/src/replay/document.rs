//! The shape of a file of recorded exchanges. Keys that are not here are refused.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::{manifest::document::Seconds, outcome::ErrorClass};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) operation: Option<String>,
    pub(super) operations: Option<All>,
    pub(super) list: Option<String>,
    pub(super) trigger: Option<String>,
    pub(super) test: Option<bool>,
    #[serde(default)]
    pub(super) connection: BTreeMap<String, Json>,
    #[serde(default)]
    pub(super) inputs: BTreeMap<String, Json>,
    pub(super) cases: Vec<CaseSection>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum All {
    All,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CaseSection {
    pub(super) name: String,
    #[serde(default)]
    pub(super) connection: BTreeMap<String, Json>,
    pub(super) input: Option<Map<String, Json>>,
    #[serde(default)]
    pub(super) inputs: BTreeMap<String, Json>,
    pub(super) request: Option<RequestSection>,
    pub(super) response: Option<ResponseSection>,
    pub(super) exchanges: Option<Vec<ExchangeSection>>,
    pub(super) output: Option<Json>,
    pub(super) label: Option<String>,
    pub(super) items: Option<Vec<ItemSection>>,
    pub(super) error: Option<ErrorSection>,
    pub(super) fault: Option<FaultSection>,
    pub(super) parameters: Option<Map<String, Json>>,
    pub(super) now: Option<String>,
    pub(super) delivery: Option<DeliverySection>,
    pub(super) fired: Option<Vec<FiredSection>>,
    pub(super) refused: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExchangeSection {
    pub(super) request: Option<RequestSection>,
    pub(super) response: ResponseSection,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestSection {
    pub(super) method: Option<String>,
    pub(super) url: Option<String>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, Option<String>>,
    pub(super) json: Option<Json>,
    pub(super) form: Option<BTreeMap<String, Json>>,
    pub(super) text: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResponseSection {
    pub(super) status: Option<u16>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    pub(super) json: Option<Json>,
    pub(super) text: Option<String>,
    pub(super) failure: Option<FailureKind>,
    pub(super) sent: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FailureKind {
    Timeout,
    Reset,
    Connect,
    Dns,
    Tls,
    TooLarge,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemSection {
    pub(super) key: String,
    pub(super) label: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) required: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ErrorSection {
    pub(super) action: Option<ActionName>,
    pub(super) class: Option<ErrorClass>,
    pub(super) message: Option<String>,
    pub(super) message_contains: Option<String>,
    pub(super) known: Option<bool>,
    pub(super) after: Option<Seconds>,
    pub(super) status: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ActionName {
    Fail,
    Retry,
    RateLimited,
    Reauthorize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FaultSection {
    pub(super) field: Option<String>,
    pub(super) message: Option<String>,
    pub(super) message_contains: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeliverySection {
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    pub(super) json: Option<Json>,
    pub(super) form: Option<BTreeMap<String, Json>>,
    pub(super) text: Option<String>,
    #[serde(default)]
    pub(super) sign: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FiredSection {
    pub(super) event_id: Option<String>,
    pub(super) payload: Option<Json>,
}
