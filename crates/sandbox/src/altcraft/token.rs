//! Who calls, and what that token's role lets it do.

use axum::http::header;
use serde_json::Value;

use crate::altcraft::envelope::Refusal;
use crate::altcraft::parameters::Parameters;
use crate::call::Call;

/// What a method needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    /// Lists and reads. Every token has it.
    Read,
    /// Changes profiles and what belongs to them.
    Change,
    /// Starts, activates and deactivates scenarios and trigger mailings.
    Launch,
    /// Deletes profiles.
    Delete,
}

/// The tokens of the account with the rights of their roles.
const TOKENS: [(&str, &[Right]); 3] = [
    ("sandbox-altcraft-token", &[Right::Read, Right::Change, Right::Launch, Right::Delete]),
    ("sandbox-altcraft-readonly", &[Right::Read]),
    ("sandbox-altcraft-nodelete", &[Right::Read, Right::Change, Right::Launch]),
];

/// Refuses unless a token with this right came along: in the body, as a Bearer or in the URL; the first that is there
/// counts.
pub(crate) fn check(call: &Call, parameters: &Parameters, right: Right) -> Result<(), Refusal> {
    let token = match parameters.get("token") {
        Some(Value::String(token)) => Some(token.clone()),
        Some(_) => return Err(Refusal::new(401, "API token is not a string")),
        None => bearer(call).or_else(|| call.query_value("token")),
    };
    let Some(token) = token else { return Err(Refusal::new(401, "API token required")) };
    let Some((_, rights)) = TOKENS.iter().find(|(known, _)| *known == token) else {
        return Err(Refusal::new(401, "API token is unknown"));
    };
    if !rights.contains(&right) {
        return Err(Refusal::new(403, "No permission for this action"));
    }
    Ok(())
}

fn bearer(call: &Call) -> Option<String> {
    let (scheme, token) = call.headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}
