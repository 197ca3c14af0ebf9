//! The two shapes of every answer, in the two formats that can be asked for.

use axum::body::Bytes;
use axum::http::{HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

use crate::altcraft::xml;
use crate::call::Answer;

const SUCCESS_TEXT: &str = "Successful operation";

/// What the parameter `format` chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Xml,
}

impl Format {
    /// `None`: the sandbox does not write it.
    pub(crate) fn of(name: &str) -> Option<Self> {
        match name {
            "" | "json" => Some(Self::Json),
            "xml" => Some(Self::Xml),
            _ => None,
        }
    }

    fn answer(self, status: StatusCode, value: &Value) -> Answer {
        match self {
            Self::Json => Answer::json(status, value),
            Self::Xml => Answer {
                status,
                content_type: HeaderValue::from_static("application/xml"),
                headers: Vec::new(),
                body: Bytes::from(xml::write(value)),
            },
        }
    }
}

/// An answer with `error: 0`.
#[derive(Debug)]
pub(crate) struct Success(Map<String, Value>);

impl Success {
    /// The usual envelope around these members.
    pub(crate) fn new<const COUNT: usize>(members: [(&str, Value); COUNT]) -> Self {
        Self::of("error_text", SUCCESS_TEXT, members)
    }

    /// The envelope of the methods that spell the text's key in another way.
    pub(crate) fn with_text_key<const COUNT: usize>(key: &str, members: [(&str, Value); COUNT]) -> Self {
        Self::of(key, SUCCESS_TEXT, members)
    }

    /// The envelope of the methods that leave the text empty.
    pub(crate) fn without_text<const COUNT: usize>(members: [(&str, Value); COUNT]) -> Self {
        Self::of("error_text", "", members)
    }

    fn of<const COUNT: usize>(key: &str, text: &str, members: [(&str, Value); COUNT]) -> Self {
        let envelope = [("error", json!(0)), (key, json!(text))];
        Self(envelope.into_iter().chain(members).map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// The envelope as a value, as it stands in the results of a batch.
    pub(crate) fn into_value(self) -> Value {
        Value::Object(self.0)
    }

    pub(crate) fn into_answer(self, format: Format) -> Answer {
        format.answer(StatusCode::OK, &self.into_value())
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

    pub(crate) const fn code(&self) -> u16 {
        self.code
    }

    /// The envelope as a value, as it stands in the results of a batch.
    pub(crate) fn value(&self) -> Value {
        json!({ "error": self.code, "error_text": self.text })
    }

    pub(crate) fn into_answer(self, status: StatusCode, format: Format) -> Answer {
        format.answer(status, &self.value())
    }
}
