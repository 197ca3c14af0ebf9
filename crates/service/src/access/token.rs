//! The secret that all processes of one installation share.

use std::{fmt, str::FromStr, sync::Arc};

use axum::http::HeaderValue;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::Error;

const LEAST: usize = 16;
const SCHEME: &str = "Bearer ";

/// `service_auth.token`. Prints as nothing, compares in constant time.
#[derive(Clone)]
pub struct ServiceToken {
    text: Arc<Zeroizing<String>>,
}

impl ServiceToken {
    /// What a request carries in `authorization`.
    pub(crate) fn header(&self) -> HeaderValue {
        let text = Zeroizing::new(format!("{SCHEME}{}", self.text.as_str()));
        // Only control characters are refused by headers, and a token has none.
        let mut value = HeaderValue::from_bytes(text.as_bytes()).unwrap_or_else(|_| HeaderValue::from_static(""));
        value.set_sensitive(true);
        value
    }

    /// Whether a request with this `authorization` knows the token.
    pub(crate) fn is_in(&self, header: &HeaderValue) -> bool {
        let Some((scheme, token)) = header.as_bytes().split_at_checked(SCHEME.len()) else { return false };
        scheme.eq_ignore_ascii_case(SCHEME.as_bytes()) && bool::from(token.ct_eq(self.text.as_bytes()))
    }
}

impl FromStr for ServiceToken {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let characters = text.chars().count();
        if characters < LEAST {
            return Err(Error::ShortToken { characters, least: LEAST });
        }
        if text.trim() != text || text.chars().any(char::is_control) {
            return Err(Error::UnfitToken);
        }
        Ok(Self { text: Arc::new(Zeroizing::new(text.to_owned())) })
    }
}

impl fmt::Debug for ServiceToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ServiceToken(••)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        text.parse::<ServiceToken>().unwrap_err().to_string()
    }

    #[test]
    fn is_told_from_others() {
        let token: ServiceToken = "correct horse battery staple".parse().unwrap();
        assert!(token.is_in(&token.header()));
        assert!(token.is_in(&HeaderValue::from_static("bearer correct horse battery staple")));
        for wrong in
            ["", "Bearer", "Bearer ", "Bearer correct horse battery stapl", "Basic correct horse battery staple"]
        {
            assert!(!token.is_in(&HeaderValue::from_static(wrong)), "{wrong}");
        }
    }

    #[test]
    fn odd_characters_travel() {
        let token: ServiceToken = "sésame, ouvre-toi! \"'\\%00 ключ 🔑".parse().unwrap();
        assert!(token.is_in(&token.header()));
    }

    #[test]
    fn what_is_guessed_or_can_not_travel_is_refused() {
        assert_eq!(refusal("ключ"), "service_auth.token has 4 characters; it needs at least 16");
        let unfit = "service_auth.token has a line break or another control character, or begins or ends with a space";
        for text in ["0123456789abcdef\n", "0123456789\0abcdef", " 0123456789abcdef", "0123456789abcdef "] {
            assert_eq!(refusal(text), unfit);
        }
    }

    #[test]
    fn is_never_printed() {
        let token: ServiceToken = "correct horse battery staple".parse().unwrap();
        assert_eq!(format!("{token:?} {:?}", token.header()), "ServiceToken(••) Sensitive");
    }
}
