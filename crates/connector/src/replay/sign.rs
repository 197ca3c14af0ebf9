//! Signs a delivery as the partner would.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::Mac;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use patchbay_flow::expression::{Name, Scope, Template, Value};
use patchbay_types::Timestamp;

use crate::{
    FieldFault, Webhook,
    manifest::document::{Algorithm, Encoding},
    trigger::{Hmac, SignedPart, Verification},
};

const MICROS_PER_SECOND: i64 = 1_000_000;
const STANDARD_ID: HeaderName = HeaderName::from_static("webhook-id");
const STANDARD_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const STANDARD_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// Adds what the verification of the trigger looks at. Headers that are signed and already there, such as a time, stay.
///
/// # Errors
/// When the connection has no secret, or a header that is signed is not there.
pub(super) fn sign(
    webhook: &Webhook,
    connection: &Value,
    headers: &mut HeaderMap,
    raw: &[u8],
    now: Timestamp,
) -> Result<(), FieldFault> {
    let scope = Scope::new().with(Name::Connection, connection.clone());
    let seconds = now.as_micros().div_euclid(MICROS_PER_SECOND).to_string();
    let (name, value) = match &webhook.verification {
        Verification::Address => return Ok(()),
        Verification::Hmac(hmac) => {
            if let Some((name, _)) = &hmac.timestamp {
                add(headers, name, &seconds)?;
            }
            (hmac.header.clone(), signature(hmac, &scope, headers, raw)?)
        }
        Verification::Basic { username, password } => {
            let credentials = format!("{}:{}", text(username, &scope)?, text(password, &scope)?);
            (header::AUTHORIZATION, format!("Basic {}", STANDARD.encode(credentials)))
        }
        Verification::Token { header, token } => (header.clone(), text(token, &scope)?),
        Verification::Standard { secret } => {
            add(headers, &STANDARD_ID, "msg_replay")?;
            add(headers, &STANDARD_TIMESTAMP, &seconds)?;
            (STANDARD_SIGNATURE, standard_signature(&text(secret, &scope)?, headers, raw)?)
        }
    };
    headers.insert(name.clone(), header_value(&name, &value)?);
    Ok(())
}

fn signature(hmac: &Hmac, scope: &Scope, headers: &HeaderMap, raw: &[u8]) -> Result<String, FieldFault> {
    let key = text(&hmac.secret, scope)?;
    let mut parts = Vec::with_capacity(hmac.signed.len());
    for part in &hmac.signed {
        parts.push(match part {
            SignedPart::Header(name) => given(headers, name)?,
            SignedPart::Text(text) => text.as_bytes(),
            SignedPart::Body => raw,
        });
    }
    let code = match hmac.algorithm {
        Algorithm::Sha1 => code::<hmac::Hmac<sha1::Sha1>>(key.as_bytes(), &parts),
        Algorithm::Sha256 => code::<hmac::Hmac<sha2::Sha256>>(key.as_bytes(), &parts),
        Algorithm::Sha512 => code::<hmac::Hmac<sha2::Sha512>>(key.as_bytes(), &parts),
    };
    let written = match hmac.encoding {
        Encoding::Hex => code.iter().map(|byte| format!("{byte:02x}")).collect(),
        Encoding::Base64 => STANDARD.encode(code),
    };
    Ok(format!("{}{written}", hmac.prefix))
}

fn standard_signature(secret: &str, headers: &HeaderMap, raw: &[u8]) -> Result<String, FieldFault> {
    let key = STANDARD
        .decode(secret.strip_prefix("whsec_").unwrap_or(secret))
        .map_err(|_| FieldFault::new("connection", "the secret is not base64, as `standard_webhooks` wants it"))?;
    let parts = [given(headers, &STANDARD_ID)?, b".", given(headers, &STANDARD_TIMESTAMP)?, b".", raw];
    Ok(format!("v1,{}", STANDARD.encode(code::<hmac::Hmac<sha2::Sha256>>(&key, &parts))))
}

fn code<M: Mac + hmac::digest::KeyInit>(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    // A key of any length is taken.
    let Ok(mut mac) = <M as Mac>::new_from_slice(key) else { return Vec::new() };
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

fn add(headers: &mut HeaderMap, name: &HeaderName, text: &str) -> Result<(), FieldFault> {
    let value = header_value(name, text)?;
    headers.entry(name.clone()).or_insert(value);
    Ok(())
}

fn given<'headers>(headers: &'headers HeaderMap, name: &HeaderName) -> Result<&'headers [u8], FieldFault> {
    let missing = || FieldFault::new("headers", format!("`{name}` is signed and has to be given"));
    headers.get(name).map(HeaderValue::as_bytes).ok_or_else(missing)
}

fn text(template: &Template, scope: &Scope) -> Result<String, FieldFault> {
    let text = template.render_text(scope, str::to_owned).ok().filter(|text| !text.is_empty());
    text.ok_or_else(|| FieldFault::new("connection", "there is no secret to sign by"))
}

fn header_value(name: &HeaderName, text: &str) -> Result<HeaderValue, FieldFault> {
    HeaderValue::try_from(text)
        .map_err(|_| FieldFault::new("connection", format!("the secret has characters that `{name}` can't carry")))
}
