//! Passwords: Argon2id, apart from the threads that serve requests, few at once.

use std::{fmt, time::Duration};

use argon2::{
    Argon2, PasswordHash, PasswordHasher, PasswordVerifier,
    password_hash::{self, SaltString},
};
use patchbay_types::fault::{Code, Fault};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::Error;

/// Hashes computed at once; each takes 19 MiB and a core.
const AT_ONCE: usize = 2;
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest password, in bytes.
const LONGEST: usize = 1024;
/// The hash of no password, with the same costs as all: comparing with it takes the time that a real one takes.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5bm9ibw$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A password as a person gave it. It can't be printed.
pub(crate) struct Password(String);

impl Password {
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        if text.is_empty() || text.len() > LONGEST {
            let message = format!("password must have 1 to {LONGEST} bytes");
            return Err(Fault::invalid(message).with_field("password"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Password(••)")
    }
}

/// Lets few passwords be compared at once.
#[derive(Debug)]
pub(crate) struct Passwords(Semaphore);

impl Passwords {
    pub(crate) fn new() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }

    /// Waits for a turn. Who has it may call [`verify`].
    pub(crate) async fn turn(&self) -> Result<SemaphorePermit<'_>, Fault> {
        let busy = || Fault::new(Code::Unavailable, "too many people log in now; try again");
        tokio::time::timeout(PATIENCE, self.0.acquire()).await.map_err(|_| busy())?.map_err(|_| busy())
    }
}

/// The hash to store for a password.
pub(crate) async fn hash(password: Password) -> Result<String, Error> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(Error::Random)?;
    apart(move || {
        let salt = SaltString::encode_b64(&salt).map_err(|error| failed(&error))?;
        let hash = Argon2::default().hash_password(password.0.as_bytes(), &salt).map_err(|error| failed(&error))?;
        Ok(hash.to_string())
    })
    .await
}

/// Whether the password is the one of `hash`. Takes as long when there is no hash.
pub(crate) async fn verify(password: Password, hash: Option<String>) -> Result<bool, Error> {
    apart(move || {
        let is_known = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODY.to_owned());
        let hash = PasswordHash::new(&hash).map_err(|error| failed(&error))?;
        match Argon2::default().verify_password(password.0.as_bytes(), &hash) {
            Ok(()) => Ok(is_known),
            Err(password_hash::Error::Password) => Ok(false),
            Err(error) => Err(failed(&error)),
        }
    })
    .await
}

async fn apart<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::Password(error.to_string()))?
}

fn failed(error: &password_hash::Error) -> Error {
    Error::Password(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::parse(text).unwrap()
    }

    #[tokio::test]
    async fn knows_a_password_again() {
        let hash = hash(password("correct horse")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(verify(password("correct horse"), Some(hash.clone())).await.unwrap());
        assert!(!verify(password("correct horsf"), Some(hash)).await.unwrap());
    }

    #[tokio::test]
    async fn nobody_has_a_password() {
        assert!(!verify(password("x"), None).await.unwrap());
    }

    #[test]
    fn refuses_empty_and_endless_passwords() {
        assert!(Password::parse("").is_err());
        assert!(Password::parse(&"x".repeat(LONGEST + 1)).is_err());
    }
}
