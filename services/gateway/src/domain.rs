//! Users and what they log in with.

use std::fmt;

use patchbay_types::{Fault, Timestamp, UserId, WorkspaceId};

/// The plan of a workspace that nobody pays for.
pub(crate) const STANDARD_PLAN: &str = "standard";

const LONGEST_EMAIL: usize = 254;

/// An address in lower case, by which a user is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Email(String);

impl Email {
    /// Reads an address. It must only look like one: whether mail arrives there, only mail tells.
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        let text = text.trim();
        let wrong = |reason: &str| Fault::invalid(format!("email {reason}")).with_field("email");
        if text.len() > LONGEST_EMAIL {
            return Err(wrong("is too long"));
        }
        if text.chars().any(|character| character.is_whitespace() || character.is_control()) {
            return Err(wrong("may not have spaces or control characters"));
        }
        match text.split_once('@') {
            Some((name, host)) if !name.is_empty() && !host.is_empty() && !host.contains('@') => {
                Ok(Self(text.to_lowercase()))
            }
            _ => Err(wrong("must look like name@example.com")),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A user as stored.
pub(crate) struct User {
    pub(crate) id: UserId,
    pub(crate) workspace: WorkspaceId,
    pub(crate) password_hash: String,
}

impl fmt::Debug for User {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("User").field("id", &self.id).field("workspace", &self.workspace).finish_non_exhaustive()
    }
}

/// What a valid token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) workspace: WorkspaceId,
    pub(crate) expires_at: Timestamp,
}

/// A workspace as its members see it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Workspace {
    pub(crate) name: String,
    pub(crate) plan: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_is_known_whatever_its_case() {
        assert_eq!(Email::parse(" Anna@Example.COM ").unwrap().as_str(), "anna@example.com");
        assert_eq!(Email::parse("тест@пример.рф").unwrap().as_str(), "тест@пример.рф");
    }

    #[test]
    fn refuses_what_does_not_look_like_an_email() {
        for text in
            ["", "anna", "@example.com", "anna@", "a@b@c", "an na@example.com", &format!("{}@b.c", "x".repeat(260))]
        {
            assert!(Email::parse(text).is_err(), "{text}");
        }
    }
}
