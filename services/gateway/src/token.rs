//! API tokens: random, and only their digest is stored.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::Error;

const BYTES: usize = 32;
/// A token has this many characters.
const LENGTH: usize = 43;

/// What is stored of a token, and what it is found by.
pub(crate) type TokenDigest = [u8; 32];

/// A new token. It is shown once and can't be printed by accident.
pub(crate) struct Token(String);

impl Token {
    pub(crate) fn generate() -> Result<Self, Error> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes).map_err(Error::Random)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    pub(crate) fn digest(&self) -> TokenDigest {
        Sha256::digest(&self.0).into()
    }

    pub(crate) fn reveal(self) -> String {
        self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(••)")
    }
}

/// The digest of the token in an `Authorization` header, if there is one that could be ours.
pub(crate) fn from_header(value: &str) -> Option<TokenDigest> {
    let (scheme, token) = value.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && token.len() == LENGTH).then(|| Sha256::digest(token).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_again_by_its_header() {
        let token = Token::generate().unwrap();
        let digest = token.digest();
        let text = token.reveal();
        assert_eq!(from_header(&format!("Bearer {text}")), Some(digest));
        assert_eq!(from_header(&format!("bearer  {text} ")), Some(digest));
    }

    #[test]
    fn other_headers_hold_no_token() {
        let text = Token::generate().unwrap().reveal();
        for header in
            [String::new(), text.clone(), format!("Basic {text}"), format!("Bearer {text}x"), "Bearer x".into()]
        {
            assert_eq!(from_header(&header), None, "{header}");
        }
    }
}
