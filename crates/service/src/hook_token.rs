//! The token in a hook URL: a source's id and a proof that we made it, so that a wrong one is refused without a query.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use patchbay_types::SourceId;
use sha2::Sha256;

const ID: usize = 16;
const GENERATION: usize = ID + 1;
const LENGTH: usize = GENERATION + 16;

/// One key of hook tokens. A later generation signs; earlier ones stay valid until they are removed.
#[derive(Clone)]
pub struct HookKey {
    /// From 1.
    pub generation: u8,
    /// 32 random bytes.
    pub key: Vec<u8>,
}

impl fmt::Debug for HookKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "HookKey({}, ••)", self.generation)
    }
}

/// The token of `source`: URL-safe base64 of id (16 bytes), generation (1), and the first 16 bytes of
/// HMAC-SHA-256 over both.
#[must_use]
pub fn encode(key: &HookKey, source: SourceId) -> String {
    let mut token = [0; LENGTH];
    token[..ID].copy_from_slice(source.as_bytes());
    token[ID] = key.generation;
    if let Some(mac) = mac(key, &token[..GENERATION]) {
        token[GENERATION..].copy_from_slice(&mac.finalize().into_bytes()[..LENGTH - GENERATION]);
    }
    URL_SAFE_NO_PAD.encode(token)
}

/// The source that `token` stands for, if one of `keys` made it.
#[must_use]
pub fn verify(keys: &[HookKey], token: &str) -> Option<SourceId> {
    let mut bytes = [0; LENGTH];
    let length = URL_SAFE_NO_PAD.decode_slice(token, &mut bytes).ok()?;
    if length != LENGTH {
        return None;
    }
    let key = keys.iter().find(|key| key.generation == bytes[ID])?;
    mac(key, &bytes[..GENERATION])?.verify_truncated_left(&bytes[GENERATION..]).ok()?;
    SourceId::from_slice(&bytes[..ID]).ok()
}

fn mac(key: &HookKey, message: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.key).ok()?;
    mac.update(message);
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(generation: u8) -> HookKey {
        HookKey { generation, key: vec![generation; 32] }
    }

    #[test]
    fn a_token_leads_back_to_its_source() {
        let source = SourceId::generate();
        let token = encode(&key(2), source);
        assert_eq!(verify(&[key(1), key(2)], &token), Some(source));
    }

    #[test]
    fn a_token_of_another_key_is_refused() {
        let token = encode(&HookKey { generation: 1, key: vec![9; 32] }, SourceId::generate());
        assert_eq!(verify(&[key(1)], &token), None);
        assert_eq!(verify(&[key(2)], &encode(&key(1), SourceId::generate())), None);
    }

    #[test]
    fn any_changed_character_is_refused() {
        let token = encode(&key(1), SourceId::generate());
        for position in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[position] = if changed[position] == b'A' { b'B' } else { b'A' };
            assert_eq!(verify(&[key(1)], std::str::from_utf8(&changed).unwrap()), None);
        }
        for text in ["", "short", &token[1..], &format!("{token}A"), "ü"] {
            assert_eq!(verify(&[key(1)], text), None);
        }
    }
}
