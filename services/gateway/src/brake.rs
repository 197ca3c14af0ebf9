//! Slows down who guesses passwords. Each process counts on its own: who guesses at several gateways at once has as many
//! times the guesses.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use patchbay_types::{
    Timestamp,
    fault::{Code, Fault},
};

use crate::domain::Email;

/// Wrong passwords for one email within [`WINDOW`] before the next guess must wait for its end.
const WRONG_GUESSES: u32 = 10;
const WINDOW: Duration = Duration::from_mins(1);
/// Emails that are watched at once.
const MOST: usize = 10_000;

/// Counts wrong passwords by email.
#[derive(Debug, Default)]
pub(crate) struct Brake(Mutex<HashMap<Email, Guesses>>);

#[derive(Debug)]
struct Guesses {
    first_at: Timestamp,
    wrong: u32,
}

impl Brake {
    /// Whether a password for this email may be tried now.
    pub(crate) fn check(&self, email: &Email, now: Timestamp) -> Result<(), Fault> {
        let mut watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(guesses) = watched.get(email) else { return Ok(()) };
        if now.since(guesses.first_at) >= WINDOW {
            watched.remove(email);
            return Ok(());
        }
        if guesses.wrong < WRONG_GUESSES {
            return Ok(());
        }
        Err(Fault::new(Code::TooMany, "too many wrong passwords for this email; wait a minute, then try again"))
    }

    pub(crate) fn wrong(&self, email: &Email, now: Timestamp) {
        let mut watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if watched.len() >= MOST && !watched.contains_key(email) {
            make_room(&mut watched, now);
        }
        watched.entry(email.clone()).or_insert(Guesses { first_at: now, wrong: 0 }).wrong += 1;
    }

    pub(crate) fn right(&self, email: &Email) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(email);
    }
}

/// Forgets those whose time is over, else the one that is watched longest.
fn make_room(watched: &mut HashMap<Email, Guesses>, now: Timestamp) {
    watched.retain(|_, guesses| now.since(guesses.first_at) < WINDOW);
    if watched.len() < MOST {
        return;
    }
    let oldest = watched.iter().min_by_key(|(_, guesses)| guesses.first_at).map(|(email, _)| email.clone());
    if let Some(oldest) = oldest {
        watched.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(0);

    fn email(name: &str) -> Email {
        Email::parse(&format!("{name}@example.com")).unwrap()
    }

    #[test]
    fn stops_the_guesser_of_one_email_for_a_while() {
        let brake = Brake::default();
        for _ in 0..WRONG_GUESSES {
            assert!(brake.check(&email("a"), NOW).is_ok());
            brake.wrong(&email("a"), NOW);
        }
        assert_eq!(brake.check(&email("a"), NOW).unwrap_err().code, Code::TooMany);
        assert!(brake.check(&email("b"), NOW).is_ok());
        assert!(brake.check(&email("a"), NOW.after(WINDOW)).is_ok());
    }

    #[test]
    fn the_right_password_forgives() {
        let brake = Brake::default();
        for _ in 0..WRONG_GUESSES {
            brake.wrong(&email("a"), NOW);
        }
        brake.right(&email("a"));
        assert!(brake.check(&email("a"), NOW).is_ok());
    }

    #[test]
    fn watches_a_bounded_number_of_emails() {
        let brake = Brake::default();
        for number in 0..=MOST {
            brake.wrong(&email(&number.to_string()), NOW.after(Duration::from_micros(number as u64)));
        }
        let watched = brake.0.lock().unwrap();
        assert_eq!(watched.len(), MOST);
        assert!(!watched.contains_key(&email("0")));
    }
}
