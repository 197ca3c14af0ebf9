//! An opened secret.

use std::fmt;
use std::str::Utf8Error;

use zeroize::Zeroizing;

/// The shortest secret of which the last characters are shown.
const SHOWN_FROM_CHARACTERS: usize = 12;
const SHOWN_CHARACTERS: usize = 4;

/// Plaintext that zeroes itself when dropped and prints as `••` with at most its last four characters.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// The plaintext. Keep it as short as the call that needs it.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The plaintext as text.
    ///
    /// # Errors
    ///
    /// When it is not UTF-8.
    pub fn expose_str(&self) -> Result<&str, Utf8Error> {
        std::str::from_utf8(&self.0)
    }
}

impl From<Zeroizing<Vec<u8>>> for Secret {
    fn from(plaintext: Zeroizing<Vec<u8>>) -> Self {
        Self(plaintext)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("••")?;
        let Ok(text) = self.expose_str() else {
            return Ok(());
        };
        let characters = text.chars().count();
        if characters < SHOWN_FROM_CHARACTERS {
            return Ok(());
        }
        // Escaped, so that a secret can't write control characters into a log.
        text.chars()
            .skip(characters - SHOWN_CHARACTERS)
            .try_for_each(|last| write!(formatter, "{}", last.escape_debug()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::from(Zeroizing::new(text.as_bytes().to_vec()))
    }

    #[test]
    fn prints_at_most_the_last_four_characters_of_a_long_secret() {
        let shown = [
            ("", "••"),
            ("hunter2", "••"),
            ("elevenchars", "••"),
            ("twelve-chars", "••hars"),
            ("длинный-пароль", "••роль"),
            ("0123456789\u{1b}[0m", r"••\u{1b}[0m"),
        ];
        for (text, printed) in shown {
            assert_eq!(format!("{} {:?}", secret(text), secret(text)), format!("{printed} {printed}"));
        }
    }

    #[test]
    fn prints_nothing_of_a_secret_that_is_not_text() {
        let secret = Secret::from(Zeroizing::new(vec![0xff; 40]));
        assert_eq!(format!("{secret:?}"), "••");
        assert!(secret.expose_str().is_err());
    }
}
