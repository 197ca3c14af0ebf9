//! The automation document: what `POST /v1/automations` takes, read at the door.

use std::{fmt, time::Duration};

use patchbay_runtime::config::duration;
use patchbay_types::{
    ConnectionId, SourceId,
    fault::{Code, Fault},
};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Unexpected, Visitor, value::MapAccessDeserializer},
};
use serde_json::{Map, Value, error::Category};

/// The largest document.
pub(crate) const MAX_BYTES: usize = 256 * 1024;
/// The most steps of an automation.
pub(crate) const MAX_STEPS: usize = 50;

const MAX_ATTEMPTS: u32 = 20;
const LONGEST_DELAY: Duration = Duration::from_secs(30 * 86_400);
const LONGEST_NAME: usize = 200;
const LONGEST_KEY: usize = 40;

/// A document that has the right shape. Whether its parts exist says [`crate::validation`].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Definition {
    #[serde(default)]
    pub(crate) name: Name,
    #[serde(rename = "group")]
    pub(crate) _group: Option<Name>,
    #[serde(default)]
    pub(crate) trigger: Trigger,
    #[serde(default)]
    pub(crate) steps: Vec<Step>,
}

/// What starts the automation.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trigger {
    #[serde(default)]
    pub(crate) operation: String,
    pub(crate) connection_id: Option<ConnectionId>,
    pub(crate) mode: Option<Value>,
    pub(crate) parameters: Option<Map<String, Value>>,
    pub(crate) filter: Option<String>,
    pub(crate) schedule: Option<Value>,
    pub(crate) source_id: Option<SourceId>,
}

/// One action.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    #[serde(default)]
    pub(crate) key: StepKey,
    #[serde(default)]
    pub(crate) operation: String,
    pub(crate) connection_id: Option<ConnectionId>,
    pub(crate) input: Option<Map<String, Value>>,
    #[serde(rename = "retry")]
    pub(crate) _retry: Option<Retry>,
    #[serde(rename = "on_error")]
    pub(crate) _on_error: Option<OnError>,
    /// The automation's leave to repeat this step when its outcome is unknown.
    #[serde(default, rename = "repeat_unknown")]
    pub(crate) _repeat_unknown: bool,
}

/// When a failed step is tried again: `"none"`, `{"max_attempts": 6}` or `{"delays": ["1s", "30s"]}`.
#[derive(Debug, PartialEq)]
pub(crate) enum Retry {
    None,
    MaxAttempts(Attempts),
    Delays(Delays),
}

/// Tries over the default delays, the first one included.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(try_from = "u32")]
pub(crate) struct Attempts(u32);

/// The pauses before the tries that follow the first.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub(crate) struct Delays(Vec<Duration>);

/// What happens when a step has failed for good.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnError {
    Stop,
}

/// What people call it; empty only where none was given.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Name(String);

/// How later steps name a step; empty only where none was given.
#[derive(Debug, Default, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct StepKey(String);

impl Definition {
    /// Reads a document.
    ///
    /// # Errors
    /// What is no JSON, unknown, or of the wrong type, with its path. Reading stops at the first.
    pub(crate) fn parse(document: &[u8]) -> Result<Self, Fault> {
        if document.len() > MAX_BYTES {
            let message = format!("a definition may have {MAX_BYTES} bytes, this one has {}", document.len());
            return Err(Fault::new(Code::TooLarge, message));
        }
        let mut deserializer = serde_json::Deserializer::from_slice(document);
        let definition = serde_path_to_error::deserialize::<_, Self>(&mut deserializer).map_err(|error| {
            let path = error.path().to_string();
            refusal(error.inner(), &path)
        })?;
        deserializer.end().map_err(|error| refusal(&error, "."))?;
        Ok(definition)
    }
}

fn refusal(error: &serde_json::Error, path: &str) -> Fault {
    let text = error.to_string();
    if error.classify() != Category::Data {
        return Fault::invalid(format!("the definition is not JSON: {text}"));
    }
    // The place in the text says nothing to those who see a path.
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    match path {
        "." => Fault::invalid(format!("the definition can't be read: {message}")),
        path => Fault::invalid(message).with_field(path),
    }
}

impl Name {
    pub(crate) fn is_missing(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let length = text.chars().count();
        if text.trim().is_empty() || length > LONGEST_NAME {
            return Err(format!("expected 1 to {LONGEST_NAME} characters that are not all spaces"));
        }
        if text.chars().any(char::is_control) {
            return Err("expected no line breaks or other control characters".to_owned());
        }
        Ok(Self(text))
    }
}

impl StepKey {
    pub(crate) fn is_missing(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for StepKey {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let begins = text.starts_with(|first: char| first.is_ascii_lowercase());
        let goes_on = |character: char| matches!(character, 'a'..='z' | '0'..='9' | '_');
        if !begins || text.len() > LONGEST_KEY || !text.chars().all(goes_on) {
            return Err(format!(
                "expected a small letter, then up to {} small letters, digits or underscores",
                LONGEST_KEY - 1
            ));
        }
        Ok(Self(text))
    }
}

impl TryFrom<u32> for Attempts {
    type Error = String;

    fn try_from(number: u32) -> Result<Self, String> {
        if (1..=MAX_ATTEMPTS).contains(&number) {
            return Ok(Self(number));
        }
        Err(format!("expected 1 to {MAX_ATTEMPTS} attempts, found {number}"))
    }
}

impl TryFrom<Vec<String>> for Delays {
    type Error = String;

    fn try_from(texts: Vec<String>) -> Result<Self, String> {
        // The first attempt has no delay before it.
        let most = MAX_ATTEMPTS as usize - 1;
        if texts.is_empty() || texts.len() > most {
            return Err(format!("expected 1 to {most} delays, found {}", texts.len()));
        }
        let delays = texts.iter().map(|text| duration::parse(text)).collect::<Result<Vec<_>, _>>()?;
        if delays.iter().any(|delay| *delay > LONGEST_DELAY) {
            return Err("a delay may be 30 days at the most".to_owned());
        }
        Ok(Self(delays))
    }
}

impl<'de> Deserialize<'de> for Retry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RetryVisitor)
    }
}

struct RetryVisitor;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RetryFields {
    max_attempts: Option<Attempts>,
    delays: Option<Delays>,
}

impl<'de> Visitor<'de> for RetryVisitor {
    type Value = Retry;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(r#"{"max_attempts": 6}, {"delays": ["1s", "30s"]} or "none""#)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Retry, E> {
        if text == "none" { Ok(Retry::None) } else { Err(E::invalid_value(Unexpected::Str(text), &self)) }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Retry, A::Error> {
        match RetryFields::deserialize(MapAccessDeserializer::new(map))? {
            RetryFields { max_attempts: Some(attempts), delays: None } => Ok(Retry::MaxAttempts(attempts)),
            RetryFields { max_attempts: None, delays: Some(delays) } => Ok(Retry::Delays(delays)),
            _ => Err(de::Error::custom("expected either `max_attempts` or `delays`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry(json: &str) -> Result<Retry, String> {
        let document = format!(r#"{{"steps":[{{"retry":{json}}}]}}"#);
        let mut definition = Definition::parse(document.as_bytes()).map_err(|fault| fault.field.unwrap_or_default())?;
        definition.steps.remove(0)._retry.ok_or_else(|| "nothing".to_owned())
    }

    #[test]
    fn reads_the_three_ways_to_retry() {
        assert_eq!(retry(r#""none""#), Ok(Retry::None));
        assert_eq!(retry(r#"{"max_attempts": 20}"#), Ok(Retry::MaxAttempts(Attempts(20))));
        let delays = vec![Duration::from_secs(1), Duration::from_secs(120)];
        assert_eq!(retry(r#"{"delays": ["1s", "2m"]}"#), Ok(Retry::Delays(Delays(delays))));
    }

    #[test]
    fn refuses_other_ways_to_retry_with_their_path() {
        let attempts = "steps[0].retry.max_attempts";
        for (json, path) in [
            (r#"{"max_attempts": 0}"#, attempts),
            (r#"{"max_attempts": 21}"#, attempts),
            (r#"{"max_attempts": -1}"#, attempts),
            (r#"{"delays": []}"#, "steps[0].retry.delays"),
            (r#"{"delays": ["soon"]}"#, "steps[0].retry.delays"),
            (r#"{"delays": ["31d"]}"#, "steps[0].retry.delays"),
        ] {
            assert_eq!(retry(json), Err(path.to_owned()), "{json}");
        }
        for json in [r#""always""#, "{}", "3", r#"{"max_attempts": 1, "delays": ["1s"]}"#, r#"{"times": 2}"#] {
            let path = retry(json).unwrap_err();
            assert!(path.starts_with("steps[0].retry"), "{json}: {path}");
        }
    }

    #[test]
    fn a_step_key_is_a_word_of_small_letters() {
        for good in ["a", "launch_2", &"a".repeat(40)] {
            assert!(StepKey::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in ["", "2a", "_a", "Launch", "a-b", "ü", &"a".repeat(41)] {
            assert!(StepKey::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn refuses_what_is_no_document() {
        for text in ["", "[]", "{", "null", "{} {}", "\u{0}", &"[".repeat(10_000)] {
            assert!(Definition::parse(text.as_bytes()).is_err(), "{text}");
        }
        let large = vec![b' '; MAX_BYTES + 1];
        assert_eq!(Definition::parse(&large).unwrap_err().code, Code::TooLarge);
    }

    #[test]
    fn an_unknown_key_is_named_with_its_path() {
        let fault = Definition::parse(br#"{"name":"a","steps":[{"key":"b","colour":1}]}"#).unwrap_err();
        assert_eq!(fault.field.as_deref(), Some("steps[0].colour"));
        assert!(fault.message.starts_with("unknown field `colour`, expected one of `key`"), "{fault}");
    }
}
