//! Master keys and their fingerprints.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{Error, KeyTextError};

/// Bytes of an AES-256 key.
pub(crate) const KEY_BYTES: usize = 32;
const MAX_ID_BYTES: usize = 64;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A key that seals data keys. Written `id:base64(32 bytes)`; zeroed when dropped.
#[derive(Clone)]
pub struct MasterKey {
    id: String,
    key: Zeroizing<[u8; KEY_BYTES]>,
}

impl MasterKey {
    /// A new random key.
    ///
    /// # Errors
    ///
    /// When the id has characters that a key id may not have, or the operating system gives no random bytes.
    pub fn generate(id: &str) -> Result<Self, Error> {
        check_id(id)?;
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        getrandom::fill(key.as_mut_slice()).map_err(Error::Random)?;
        Ok(Self { id: id.to_owned(), key })
    }

    /// The name by which sealed secrets know this key.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What may be stored and shown of the key.
    pub fn fingerprint(&self) -> Fingerprint {
        let digest = Sha256::new().chain_update(b"patchbay.vault.fingerprint\0").chain_update(self.bytes()).finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        Fingerprint(first)
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.key
    }

    /// The secret text form, for the key file alone.
    pub(crate) fn to_text(&self) -> Zeroizing<String> {
        // Room for the whole text at once: a string that grows leaves copies behind.
        let mut text = Zeroizing::new(String::with_capacity(self.id.len() + 1 + KEY_BYTES * 2));
        text.push_str(&self.id);
        text.push(':');
        BASE64.encode_string(self.bytes(), &mut text);
        text
    }
}

impl FromStr for MasterKey {
    type Err = KeyTextError;

    fn from_str(text: &str) -> Result<Self, KeyTextError> {
        let (id, encoded) = text.trim().split_once(':').ok_or(KeyTextError::NoColon)?;
        check_id(id)?;
        let mut decoded = Zeroizing::new(Vec::with_capacity(encoded.len()));
        BASE64.decode_vec(encoded, &mut decoded).map_err(|_| KeyTextError::Base64)?;
        if decoded.len() != KEY_BYTES {
            return Err(KeyTextError::Length(decoded.len()));
        }
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        key.copy_from_slice(&decoded);
        Ok(Self { id: id.to_owned(), key })
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("MasterKey").field("id", &self.id).field("key", &format_args!("••")).finish()
    }
}

pub(crate) fn check_id(id: &str) -> Result<(), KeyTextError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if (1..=MAX_ID_BYTES).contains(&id.len()) && id.bytes().all(fits) { Ok(()) } else { Err(KeyTextError::Id) }
}

/// The first 16 hexadecimal digits of a digest of a key: tells keys apart and says nothing of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 8]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "first:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    #[test]
    fn reads_its_own_text_with_and_without_padding() {
        let key: MasterKey = TEXT.parse().unwrap();
        assert_eq!(key.id(), "first");
        assert_eq!(key.to_text().as_str(), TEXT);
        assert_eq!(TEXT.trim_end_matches('=').parse::<MasterKey>().unwrap().to_text().as_str(), TEXT);
    }

    #[test]
    fn says_what_is_wrong_with_a_key_text() {
        let long_id = format!("{}:AA==", "x".repeat(65));
        let wrong = [
            ("", KeyTextError::NoColon),
            ("first", KeyTextError::NoColon),
            (":AA==", KeyTextError::Id),
            ("a b:AA==", KeyTextError::Id),
            (long_id.as_str(), KeyTextError::Id),
            ("first:not base64!", KeyTextError::Base64),
            ("first:", KeyTextError::Length(0)),
            ("first:AAEC", KeyTextError::Length(3)),
        ];
        for (text, error) in wrong {
            assert_eq!(text.parse::<MasterKey>().unwrap_err(), error, "{text}");
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let key: MasterKey = TEXT.parse().unwrap();
        assert_eq!(format!("{key:?}"), r#"MasterKey { id: "first", key: •• }"#);
    }

    #[test]
    fn fingerprints_the_key_and_not_its_id() {
        let key: MasterKey = TEXT.parse().unwrap();
        let renamed: MasterKey = TEXT.replace("first", "second").parse().unwrap();
        let other = MasterKey::generate("first").unwrap();

        assert_eq!(key.fingerprint(), renamed.fingerprint());
        assert_ne!(key.fingerprint(), other.fingerprint());
        assert_eq!(key.fingerprint().to_string(), "528c4d4da4d63eb5");
    }
}
