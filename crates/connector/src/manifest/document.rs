//! The shape of a manifest. Keys that are not here are refused. Comments on keys are part of the published schema.

mod auth;
mod duration;
mod field;
mod list;
mod operation;
mod request;
mod trigger;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::SCHEMA;
use crate::outcome::ErrorClass;

pub(crate) use auth::{AuthKind, AuthSection};
pub(crate) use duration::Seconds;
pub(crate) use field::{FieldSection, RowSectionSection, ValidationRules, ValidationSection};
pub(crate) use list::{ListSection, PageKind, PagePlace, PageSection, PageStop};
pub(crate) use operation::{OperationKind, OperationSection};
pub(crate) use request::{Method, RequestSection};
pub(crate) use trigger::{Algorithm, Encoding, ModesSection, SignedSection, VerifyKind, VerifySection, WebhookSection};

/// Everything that Patchbay knows about one partner.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    /// The version of this format: `patchbay.connector/v1`.
    #[schemars(extend("const" = SCHEMA))]
    pub(crate) schema: String,
    /// Who the partner is.
    pub(crate) partner: PartnerSection,
    /// What a person fills in to connect an account, and how it is proved.
    pub(crate) connection: ConnectionSection,
    /// What all calls to the partner have in common.
    pub(crate) http: HttpSection,
    /// Lists that fields are chosen from, by name: fixed here, or read from the account.
    #[serde(default)]
    pub(crate) lists: BTreeMap<String, ListSection>,
    /// What can be done at the partner, and what it tells about.
    pub(crate) operations: Vec<OperationSection>,
}

/// Who the partner is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartnerSection {
    /// The stable key, the name of the folder: small letters, digits, `_` and `-`.
    pub(crate) key: String,
    /// The stable number of the partner, never used again for another.
    pub(crate) id: u64,
    /// What people read.
    pub(crate) title: String,
    /// The title by language code, where it differs.
    #[serde(default)]
    pub(crate) titles: BTreeMap<String, String>,
    /// What the partner is, in a sentence.
    #[serde(default)]
    pub(crate) description: String,
    /// Kinds of apps it belongs to, such as `crm`.
    #[serde(default)]
    pub(crate) categories: Vec<String>,
    /// Numbers of the regions where it is offered.
    #[serde(default)]
    pub(crate) region: Vec<u32>,
    /// Whether new connections are discouraged.
    #[serde(default)]
    pub(crate) deprecated: bool,
    /// The version of this manifest, such as `1.0.0`.
    pub(crate) version: String,
}

/// What a person fills in to connect an account, and how it is proved.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConnectionSection {
    /// The fields of the form, in its order.
    pub(crate) fields: Vec<FieldSection>,
    /// How calls carry the credentials.
    pub(crate) auth: AuthSection,
    /// A call that proves the connection.
    pub(crate) test: Option<TestSection>,
    /// A template that names a new connection; sees `connection` and the answer of the test as `test.status` and
    /// `test.body`.
    pub(crate) label: Option<String>,
}

/// A call that proves the connection.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TestSection {
    /// The call; its templates see `connection`.
    pub(crate) request: RequestSection,
    /// An expression that holds when the connection works; sees `status`, `headers` and `body`.
    pub(crate) expect: String,
}

/// What all calls to the partner have in common.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HttpSection {
    /// A template of the URL that all paths stand under; sees `connection`.
    pub(crate) base_url: String,
    /// How long one call may take, such as `10s`; at most `10m`.
    pub(crate) timeout: Seconds,
    /// An expression that holds when the partner did what was asked; sees `status`, `headers`, `body` and `input`.
    pub(crate) success: String,
    /// What other answers mean; the first rule that holds decides, and without one the status does.
    #[serde(default)]
    pub(crate) errors: Vec<ErrorSection>,
    /// How many calls the partner takes, where it says so.
    pub(crate) budget: Option<BudgetSection>,
    /// Where calls carry a key by which the partner does a repeated call only once.
    pub(crate) idempotency: Option<IdempotencySection>,
}

/// What an answer means.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ErrorSection {
    /// An expression that holds for such answers; sees `status`, `headers`, `body` and `input`.
    pub(crate) when: String,
    /// What to do about it.
    pub(crate) action: ActionKind,
    /// What kind of failure runs show; by the action and the status when it is not here.
    pub(crate) class: Option<ErrorClass>,
    /// A template of what people read; sees `status`, `headers`, `body` and `input`.
    pub(crate) message: Option<String>,
    /// Whether it is certain that the partner did nothing; true but for 502 and 504 when it is not here.
    pub(crate) known: Option<bool>,
}

/// What to do about an answer that is no success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ActionKind {
    /// Trying again can't help.
    Fail,
    /// Try again after a delay.
    Retry,
    /// Try again when the partner takes calls again.
    RateLimited,
    /// Renew the token and try again; only for kinds of auth that have one to renew.
    RefreshThenRetry,
    /// A person must give new credentials.
    Reauthorize,
    /// It is a success after all.
    Ignore,
}

/// How many calls the partner takes from one connection.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BudgetSection {
    /// How many calls may be in flight.
    pub(crate) concurrency: Option<u32>,
    /// How many calls may start in each time of `per`.
    pub(crate) requests: Option<u32>,
    /// The time that `requests` counts in, such as `10s`; at most `24h`.
    pub(crate) per: Option<Seconds>,
    /// The header of answers that says how many calls are left.
    pub(crate) remaining_header: Option<String>,
    /// The header of answers that says when calls are taken again.
    pub(crate) reset_header: Option<String>,
    /// A note that the partner says in `Retry-After` how long to wait; the header is always read, with this or without.
    pub(crate) retry_after: Option<RetryAfter>,
}

/// Where an answer says how long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RetryAfter {
    /// In its header `Retry-After`.
    Header,
}

/// Where calls carry a key by which the partner does a repeated call only once.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdempotencySection {
    /// The header with the key, which stays the same when a call is repeated.
    pub(crate) header: String,
}
