//! Whether a call is the partner's.

mod signature;

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, header};
use patchbay_flow::expression::{Name, Scope, Template, Value};
use patchbay_types::Timestamp;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

pub(crate) use signature::{Hmac, SignedPart};

/// The tolerance of <https://www.standardwebhooks.com> and the headers that it names.
const STANDARD_TOLERANCE: Duration = Duration::from_secs(5 * 60);
const STANDARD_ID: HeaderName = HeaderName::from_static("webhook-id");
const STANDARD_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const STANDARD_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
/// Timestamps above this are milliseconds: as seconds it would be the year 5138.
const MAX_SECONDS: i64 = 100_000_000_000;

/// How a call proves that it is the partner's.
#[derive(Debug)]
pub(crate) enum Verification {
    /// By its address alone, which holds a secret.
    Address,
    Hmac(Box<Hmac>),
    Basic {
        username: Template,
        password: Template,
    },
    Token {
        header: HeaderName,
        token: Template,
    },
    Standard {
        secret: Template,
    },
}

/// Why a call is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The connection has no secret to check by.
    #[error("the connection has no secret by which calls can be checked")]
    NoSecret,
    /// A header that it needs is not there, or no text.
    #[error("the header `{0}` is missing or can't be read")]
    Header(HeaderName),
    /// It was made by somebody who does not know the secret, or was changed on the way.
    #[error("the signature or token is wrong")]
    Wrong,
    /// It was made too long ago, or our clocks differ.
    #[error("the call was made {seconds} seconds {way}, more than the tolerance of {tolerance}")]
    Time {
        /// How far it is from now.
        seconds: u64,
        /// `ago` or `ahead`.
        way: &'static str,
        /// How far it may be, in seconds.
        tolerance: u64,
    },
}

impl Verification {
    pub(super) fn check(
        &self,
        connection: &Value,
        headers: &HeaderMap,
        raw: &[u8],
        now: Timestamp,
    ) -> Result<(), Refused> {
        let scope = Scope::new().with(Name::Connection, connection.clone());
        match self {
            Self::Address => Ok(()),
            Self::Hmac(hmac) => hmac.check(&scope, headers, raw, now),
            Self::Basic { username, password } => {
                let password = secret(password, &scope)?;
                let expected = format!("{}:{password}", render(username, &scope)?);
                let given = text(headers, &header::AUTHORIZATION)?;
                let given =
                    strip_prefix_ignoring_case(given, "Basic ").and_then(|text| STANDARD.decode(text.trim()).ok());
                same(&given.ok_or(Refused::Wrong)?, expected.as_bytes())
            }
            Self::Token { header, token } => {
                let expected = secret(token, &scope)?;
                same(text(headers, header)?.as_bytes(), expected.as_bytes())
            }
            Self::Standard { secret: template } => standard(&secret(template, &scope)?, headers, raw, now),
        }
    }

    /// The headers that carry signatures or secrets.
    pub(super) fn headers(&self) -> Vec<HeaderName> {
        match self {
            Self::Address => Vec::new(),
            Self::Hmac(hmac) => vec![hmac.header.clone()],
            Self::Basic { .. } => vec![header::AUTHORIZATION],
            Self::Token { header, .. } => vec![header.clone()],
            Self::Standard { .. } => vec![STANDARD_SIGNATURE],
        }
    }
}

/// <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>
fn standard(secret: &str, headers: &HeaderMap, raw: &[u8], now: Timestamp) -> Result<(), Refused> {
    let key = secret.strip_prefix("whsec_").unwrap_or(secret);
    let key = signature::decode_base64(key).filter(|key| !key.is_empty()).ok_or(Refused::NoSecret)?;
    let (id, timestamp) = (text(headers, &STANDARD_ID)?, text(headers, &STANDARD_TIMESTAMP)?);
    let signatures = text(headers, &STANDARD_SIGNATURE)?;
    let signed = [id.as_bytes(), b".", timestamp.as_bytes(), b".", raw];
    let mut right = false;
    for given in signatures.split_ascii_whitespace().filter_map(|signature| signature.strip_prefix("v1,")) {
        right |= signature::decode_base64(given).is_some_and(|given| signature::sha256_matches(&key, &signed, &given));
    }
    if !right {
        return Err(Refused::Wrong);
    }
    in_time(&STANDARD_TIMESTAMP, timestamp, STANDARD_TOLERANCE, now)
}

/// Refuses a time that is further from now than the tolerance, in either direction.
fn in_time(header: &HeaderName, text: &str, tolerance: Duration, now: Timestamp) -> Result<(), Refused> {
    let number: i64 = text.trim().parse().map_err(|_| Refused::Header(header.clone()))?;
    let micros = if number > MAX_SECONDS { number.saturating_mul(1_000) } else { number.saturating_mul(1_000_000) };
    let made = Timestamp::from_micros(micros);
    let (away, way) = if made > now { (made.since(now), "ahead") } else { (now.since(made), "ago") };
    if away <= tolerance {
        return Ok(());
    }
    Err(Refused::Time { seconds: away.as_secs(), way, tolerance: tolerance.as_secs() })
}

fn text<'headers>(headers: &'headers HeaderMap, name: &HeaderName) -> Result<&'headers str, Refused> {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.ok_or_else(|| Refused::Header(name.clone()))
}

/// What a template gives; nothing refuses every call.
fn secret(template: &Template, scope: &Scope) -> Result<String, Refused> {
    render(template, scope).and_then(|secret| if secret.is_empty() { Err(Refused::NoSecret) } else { Ok(secret) })
}

fn render(template: &Template, scope: &Scope) -> Result<String, Refused> {
    template.render_text(scope, str::to_owned).map_err(|_| Refused::NoSecret)
}

/// Compares in a time that depends on neither text: their digests are of one length.
fn same(given: &[u8], expected: &[u8]) -> Result<(), Refused> {
    let equal = Sha256::digest(given).ct_eq(&Sha256::digest(expected));
    if bool::from(equal) { Ok(()) } else { Err(Refused::Wrong) }
}

fn strip_prefix_ignoring_case<'text>(text: &'text str, prefix: &str) -> Option<&'text str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}
