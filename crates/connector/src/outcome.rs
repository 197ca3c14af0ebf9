//! How a call to a partner ended.

use std::{borrow::Cow, fmt, time::Duration};

use patchbay_flow::expression::Value;
use schemars::JsonSchema;
use serde::Deserialize;

/// The longest message of a failure, in characters.
const MAX_MESSAGE_CHARS: usize = 500;
/// The most of an answer that is kept with a failure, in characters.
const MAX_EXCERPT_CHARS: usize = 2_000;

/// How a call ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The partner did it.
    Succeeded {
        /// What the operation gives to later steps.
        output: Value,
    },
    /// The partner did not do it, or it is not known whether it did.
    Failed(Failure),
}

/// What to do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Trying again can't help.
    Fail,
    /// Try again after a delay.
    Retry,
    /// Try again when the partner takes calls again.
    RateLimited {
        /// How long the partner asks to wait, when it says so.
        after: Option<Duration>,
    },
    /// The connection's credentials are no longer taken; a person must give new ones.
    Reauthorize,
}

/// What kind of failure it was, as runs show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// The partner refused or failed.
    Partner,
    /// No answer in time.
    Timeout,
    /// No connection to the partner came about, or it broke.
    Connection,
    /// The data of the step is not what the operation takes.
    Validation,
    /// The partner does not take the credentials.
    Auth,
    /// The partner wants fewer calls.
    RateLimit,
    /// The manifest, connection or automation is set up wrongly.
    Configuration,
    /// A defect of ours.
    System,
}

impl ErrorClass {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 8] = [
        Self::Partner,
        Self::Timeout,
        Self::Connection,
        Self::Validation,
        Self::Auth,
        Self::RateLimit,
        Self::Configuration,
        Self::System,
    ];

    /// The stable name, as runs show it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Partner => "partner",
            Self::Timeout => "timeout",
            Self::Connection => "connection",
            Self::Validation => "validation",
            Self::Auth => "auth",
            Self::RateLimit => "rate_limit",
            Self::Configuration => "configuration",
            Self::System => "system",
        }
    }

    /// The class with this stable name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A call that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What to do about it.
    pub action: Action,
    /// What kind it is.
    pub class: ErrorClass,
    /// What a person reads; bounded, without control characters and without the connection's secrets.
    pub message: String,
    /// The status code of the partner's answer, when there was one.
    pub partner_status: Option<u16>,
    /// Whether it is certain that the partner did nothing.
    pub known: bool,
    /// The beginning of the partner's answer, cleaned like the message.
    pub excerpt: Option<String>,
}

/// Texts that must not be shown, wherever a partner repeats them.
#[derive(Default)]
pub(crate) struct Secrets(pub(crate) Vec<String>);

impl Failure {
    pub(crate) fn new(action: Action, class: ErrorClass, known: bool, message: &str, secrets: &Secrets) -> Self {
        let message = clean(message, MAX_MESSAGE_CHARS, secrets);
        Self { action, class, message, partner_status: None, known, excerpt: None }
    }

    pub(crate) fn with_answer(mut self, status: u16, body: &[u8], secrets: &Secrets) -> Self {
        self.partner_status = Some(status);
        // A character takes at most four bytes.
        let start = &body[..body.len().min(MAX_EXCERPT_CHARS * 4)];
        let excerpt = clean(&String::from_utf8_lossy(start), MAX_EXCERPT_CHARS, secrets);
        self.excerpt = (!excerpt.is_empty()).then_some(excerpt);
        self
    }
}

/// Covers secrets, bounds the text and takes out what a log or a database stumbles over.
pub(crate) fn clean(text: &str, max_chars: usize, secrets: &Secrets) -> String {
    let covered = secrets.0.iter().fold(Cow::Borrowed(text), |text, secret| {
        if text.contains(secret.as_str()) { Cow::Owned(text.replace(secret.as_str(), "***")) } else { text }
    });
    let plain = covered.chars().filter(|character| !character.is_control() || matches!(character, '\n' | '\t'));
    let mut cleaned: String = plain.take(max_chars).collect();
    cleaned.truncate(cleaned.trim_end().len());
    cleaned
}
