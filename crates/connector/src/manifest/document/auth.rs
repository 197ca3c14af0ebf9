//! How calls carry the credentials.

use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer,
    de::{Error, IntoDeserializer},
};

/// Kinds of the format that this interpreter does not have yet.
const LATER: [&str; 5] = ["oauth2", "oauth2_client_credentials", "two_step", "jwt", "hmac"];

/// How calls carry the credentials. All texts are templates that see `connection`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuthSection {
    /// The kind, which says what other keys there are.
    #[serde(deserialize_with = "kind")]
    pub(crate) kind: AuthKind,
    /// Of `bearer`: the token.
    pub(crate) token: Option<String>,
    /// Of `api_key`: the header that carries the key.
    pub(crate) header: Option<String>,
    /// Of `api_key`: the query parameter that carries the key.
    pub(crate) query: Option<String>,
    /// Of `api_key`: the key.
    pub(crate) key: Option<String>,
    /// Of `basic`: the name.
    pub(crate) username: Option<String>,
    /// Of `basic`: the password.
    pub(crate) password: Option<String>,
}

/// How calls carry the credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AuthKind {
    /// `Authorization: Bearer` and a token.
    Bearer,
    /// A key in a header or in the query.
    ApiKey,
    /// `Authorization: Basic` with name and password.
    Basic,
    /// Not at all.
    None,
}

fn kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<AuthKind, D::Error> {
    let text = String::deserialize(deserializer)?;
    if LATER.contains(&text.as_str()) {
        let message = format!("`{text}` is not available yet; there are `bearer`, `api_key`, `basic` and `none`");
        return Err(Error::custom(message));
    }
    AuthKind::deserialize(text.into_deserializer())
}
