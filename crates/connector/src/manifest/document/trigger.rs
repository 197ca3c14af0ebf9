//! How a partner tells about its events.

use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, IntoDeserializer},
};

use super::Seconds;

/// Kinds of the format that this interpreter does not have yet.
const LATER: [&str; 2] = ["ed25519", "challenge"];

/// The ways by which the partner tells.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModesSection {
    /// The partner calls an address of ours.
    pub(crate) webhook: Option<WebhookSection>,
    /// Not available yet.
    #[schemars(with = "Option<bool>", extend("not" = {}))]
    pub(crate) poll: Option<IgnoredAny>,
    /// Not available yet.
    #[schemars(with = "Option<bool>", extend("not" = {}))]
    pub(crate) broker: Option<IgnoredAny>,
}

/// The partner calls an address of ours.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebhookSection {
    /// An expression that gives the item, or the list of items, of a call; sees `body`, `headers` and `input`. Without
    /// it the body is the one item.
    pub(crate) batch: Option<String>,
    /// An expression that holds for the items that are events; sees `item`, `body`, `headers`, `input` and
    /// `connection`. Without it all are.
    pub(crate) select: Option<String>,
    /// What the partner wants to hear.
    pub(crate) respond: Option<RespondSection>,
    /// How a call proves that it is the partner's.
    pub(crate) verify: VerifySection,
}

/// What the partner wants to hear when its call was taken.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RespondSection {
    /// The status, from 200 to 299; 200 when it is not here.
    pub(crate) status: Option<u16>,
    /// The text of the body, of at most 1000 characters; `OK` when it is not here.
    pub(crate) body: Option<String>,
}

/// How a call proves that it is the partner's. `secret`, `username`, `password` and `token` are templates that see
/// `connection`; when one of them gives nothing, every call is refused.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifySection {
    /// The kind, which says what other keys there are.
    #[serde(deserialize_with = "kind")]
    pub(crate) kind: VerifyKind,
    /// Of `hmac`: the hash.
    pub(crate) algorithm: Option<Algorithm>,
    /// Of `hmac` and `standard_webhooks`: the shared secret.
    pub(crate) secret: Option<String>,
    /// Of `hmac` and `header_token`: the header that carries the signature or the token.
    pub(crate) header: Option<String>,
    /// Of `hmac`: how the signature is written.
    pub(crate) encoding: Option<Encoding>,
    /// Of `hmac`: what stands before the signature, such as `sha256=`.
    pub(crate) prefix: Option<String>,
    /// Of `hmac`: what is signed, one after the other: `{ header: NAME }`, `{ text: TEXT }` and `body`; only the body
    /// when it is not here.
    pub(crate) signed: Option<Vec<SignedSection>>,
    /// Of `hmac`: when the call was made, so that old calls can't be repeated.
    pub(crate) timestamp: Option<TimestampSection>,
    /// Of `basic`: the name.
    pub(crate) username: Option<String>,
    /// Of `basic`: the password.
    pub(crate) password: Option<String>,
    /// Of `header_token`: what the header holds.
    pub(crate) token: Option<String>,
}

/// How a call proves that it is the partner's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum VerifyKind {
    /// Not at all, but for the address, which holds a secret always.
    None,
    /// By the secret in the address, which is always there.
    SecretUrl,
    /// By a signature of the body.
    Hmac,
    /// By `Authorization: Basic`.
    Basic,
    /// By a header with a shared token.
    HeaderToken,
    /// As <https://www.standardwebhooks.com> says.
    StandardWebhooks,
}

/// The hash of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Algorithm {
    Sha1,
    Sha256,
    Sha512,
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Encoding {
    /// Two digits for each byte, in small or capital letters.
    Hex,
    /// RFC 4648, in the usual or the URL-safe alphabet.
    Base64,
}

/// A part of what is signed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SignedSection {
    /// The value of this header.
    Header(String),
    /// This text.
    Text(String),
    /// The body, byte for byte.
    Body,
}

/// When the call was made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TimestampSection {
    /// The header that says it, in seconds or milliseconds since 1970; it must be among what is signed.
    pub(crate) header: String,
    /// How far it may be from our own clock, such as `5m`; at most `24h`.
    pub(crate) tolerance: Seconds,
}

fn kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<VerifyKind, D::Error> {
    let text = String::deserialize(deserializer)?;
    if LATER.contains(&text.as_str()) {
        let known = "`none`, `secret_url`, `hmac`, `basic`, `header_token` and `standard_webhooks`";
        return Err(Error::custom(format!("`{text}` is not available yet; there are {known}")));
    }
    VerifyKind::deserialize(text.into_deserializer())
}
