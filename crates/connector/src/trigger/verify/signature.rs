//! Signatures by a shared secret (RFC 2104).

use std::time::Duration;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use hmac::Mac;
use http::{HeaderMap, HeaderName};
use patchbay_flow::expression::{Scope, Template};
use patchbay_types::Timestamp;

use super::{Refused, in_time, secret, text};
use crate::manifest::document::{Algorithm, Encoding};

/// A signature of the body and what is signed with it.
#[derive(Debug)]
pub(crate) struct Hmac {
    pub(crate) algorithm: Algorithm,
    pub(crate) secret: Template,
    pub(crate) header: HeaderName,
    pub(crate) encoding: Encoding,
    pub(crate) prefix: String,
    pub(crate) signed: Vec<SignedPart>,
    pub(crate) timestamp: Option<(HeaderName, Duration)>,
}

/// A part of what is signed.
#[derive(Debug)]
pub(crate) enum SignedPart {
    Header(HeaderName),
    Text(String),
    Body,
}

impl Hmac {
    pub(super) fn check(&self, scope: &Scope, headers: &HeaderMap, raw: &[u8], now: Timestamp) -> Result<(), Refused> {
        let key = secret(&self.secret, scope)?;
        let given = text(headers, &self.header)?.trim();
        let given = given.strip_prefix(self.prefix.as_str()).ok_or(Refused::Wrong)?;
        let given = match self.encoding {
            Encoding::Hex => decode_hex(given),
            Encoding::Base64 => decode_base64(given),
        };
        let given = given.ok_or(Refused::Wrong)?;
        let mut parts = Vec::with_capacity(self.signed.len());
        for part in &self.signed {
            parts.push(match part {
                SignedPart::Header(name) => text(headers, name)?.as_bytes(),
                SignedPart::Text(text) => text.as_bytes(),
                SignedPart::Body => raw,
            });
        }
        let matches = match self.algorithm {
            Algorithm::Sha1 => matches::<hmac::Hmac<sha1::Sha1>>(key.as_bytes(), &parts, &given),
            Algorithm::Sha256 => sha256_matches(key.as_bytes(), &parts, &given),
            Algorithm::Sha512 => matches::<hmac::Hmac<sha2::Sha512>>(key.as_bytes(), &parts, &given),
        };
        if !matches {
            return Err(Refused::Wrong);
        }
        match &self.timestamp {
            Some((header, tolerance)) => in_time(header, text(headers, header)?, *tolerance, now),
            None => Ok(()),
        }
    }
}

pub(super) fn sha256_matches(key: &[u8], parts: &[&[u8]], given: &[u8]) -> bool {
    matches::<hmac::Hmac<sha2::Sha256>>(key, parts, given)
}

/// Compares in constant time, and only whole signatures.
fn matches<M: Mac + hmac::digest::KeyInit>(key: &[u8], parts: &[&[u8]], given: &[u8]) -> bool {
    let Ok(mut mac) = <M as Mac>::new_from_slice(key) else { return false };
    for part in parts {
        mac.update(part);
    }
    mac.verify_slice(given).is_ok()
}

/// In the usual or the URL-safe alphabet, with or without padding.
pub(super) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    STANDARD_NO_PAD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text)).ok()
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|start| u8::from_str_radix(&text[start..start + 2], 16).ok()).collect()
}
