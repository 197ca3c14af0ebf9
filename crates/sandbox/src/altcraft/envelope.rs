//! The two shapes of every answer.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use crate::call::Answer;

const SUCCESS_TEXT: &str = "Successful operation";

/// An answer with `error: 0`.
#[derive(Debug)]
pub(crate) struct Success(Map<String, Value>);

impl Success {
    /// The usual envelope around these members.
    pub(crate) fn new<const COUNT: usize>(members: [(&str, Value); COUNT]) -> Self {
        Self::with_text_key("error_text", members)
    }

    /// The envelope of the methods that spell the text's key in another way.
    pub(crate) fn with_text_key<const COUNT: usize>(key: &str, members: [(&str, Value); COUNT]) -> Self {
        let envelope = [("error", json!(0)), (key, json!(SUCCESS_TEXT))];
        Self(envelope.into_iter().chain(members).map(|(name, value)| (name.to_owned(), value)).collect())
    }

    pub(crate) fn into_answer(self) -> Answer {
        Answer::json(StatusCode::OK, &self.0)
    }
}

/// An answer with another `error`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub(crate) struct Refusal {
    code: u16,
    text: String,
}

impl Refusal {
    pub(crate) fn new(code: u16, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    /// The request is wrong.
    pub(crate) fn bad(text: impl Into<String>) -> Self {
        Self::new(400, text)
    }

    /// A thing that the request names is not there.
    pub(crate) fn not_found(text: impl Into<String>) -> Self {
        Self::new(404, text)
    }

    pub(crate) fn into_answer(self, status: StatusCode) -> Answer {
        Answer::json(status, &json!({ "error": self.code, "error_text": self.text }))
    }
}
