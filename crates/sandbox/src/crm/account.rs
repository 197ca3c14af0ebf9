//! Who may call, and what the account looks like.

use serde_json::{Value, json};

use crate::call::Call;
use crate::crm::refusal::Refusal;

/// The one key of the account. It also signs the events of webhooks without a secret of their own.
pub(crate) const API_KEY: &str = "sandbox-crm-key";

const API_KEY_HEADER: &str = "x-api-key";

/// Every way to prove who calls is checked here, and only here.
pub(crate) fn authenticate(call: &Call) -> Result<(), Refusal> {
    match call.headers.get(API_KEY_HEADER) {
        None => Err(Refusal::unauthorized("header X-Api-Key is missing")),
        Some(key) if key.as_bytes() != API_KEY.as_bytes() => Err(Refusal::unauthorized("the API key is unknown")),
        Some(_) => Ok(()),
    }
}

/// `GET /crm/me`.
pub(crate) fn me() -> Value {
    json!({ "account": { "id": "sandbox", "name": "Sandbox CRM" } })
}

/// `GET /crm/custom-fields`: those that the account defines. Contacts keep others all the same.
pub(crate) fn custom_fields() -> Value {
    json!({ "items": [
        { "name": "city", "label": "City", "type": "string" },
        { "name": "birthday", "label": "Birthday", "type": "date" },
        { "name": "score", "label": "Score", "type": "integer" },
        { "name": "vip", "label": "VIP", "type": "boolean" },
    ] })
}
