//! What values must be like, besides their type.

use patchbay_flow::expression::{Value, ValueKind};
use regex_lite::Regex;

use super::{coerce::shown, email};
use crate::host;

/// The longest URL that is one.
const MAX_URL_BYTES: usize = 8 * 1024;

/// What values must be like.
#[derive(Debug)]
pub(crate) enum Validation {
    Host,
    Email,
    Url,
    Range { min: Option<f64>, max: Option<f64> },
    Pattern { pattern: Regex, message: String },
    MaxLength(usize),
}

impl Validation {
    /// Checks a value of a field, each item when it is a list. An empty text is no value.
    pub(super) fn check(&self, value: &Value) -> Result<(), String> {
        match value.kind() {
            ValueKind::Seq => {
                for (index, item) in value.try_iter().into_iter().flatten().enumerate() {
                    self.check(&item).map_err(|message| format!("item {index}: {message}"))?;
                }
                Ok(())
            }
            ValueKind::Number => self.check_number(value),
            ValueKind::String => match value.as_str().filter(|text| !text.is_empty()) {
                Some(text) => self.check_text(text),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn check_text(&self, text: &str) -> Result<(), String> {
        match self {
            Self::Host => host::check(text),
            Self::Email if email::is_email(text) => Ok(()),
            Self::Email => Err(format!("expected an email address, found {}", shown(text))),
            Self::Url if is_url(text) => Ok(()),
            Self::Url => Err(format!("expected a URL like `https://example.com/path`, found {}", shown(text))),
            Self::Pattern { pattern, .. } if pattern.is_match(text) => Ok(()),
            Self::Pattern { message, .. } => Err(message.clone()),
            Self::MaxLength(max) => {
                // Bytes are at least as many as characters, and at once there.
                let length = if text.len() <= *max { 0 } else { text.chars().count() };
                if length <= *max { Ok(()) } else { Err(format!("expected at most {max} characters, found {length}")) }
            }
            Self::Range { .. } => Ok(()),
        }
    }

    fn check_number(&self, value: &Value) -> Result<(), String> {
        let Self::Range { min, max } = self else { return Ok(()) };
        let Ok(number) = f64::try_from(value.clone()) else { return Ok(()) };
        let wrong = min.is_some_and(|min| number < min) || max.is_some_and(|max| number > max);
        let expected = match (min, max) {
            _ if !wrong => return Ok(()),
            (Some(min), Some(max)) => format!("from {min} to {max}"),
            (Some(min), None) => format!("of at least {min}"),
            (None, Some(max)) => format!("of at most {max}"),
            (None, None) => return Ok(()),
        };
        Err(format!("expected a number {expected}, found {value}"))
    }
}

fn is_url(text: &str) -> bool {
    let known = text.starts_with("https://") || text.starts_with("http://");
    known && text.len() <= MAX_URL_BYTES && url::Url::parse(text).is_ok_and(|url| url.has_host())
}
