//! How the next requests go wrong, as told by `POST /_/faults`.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::call::{self, Answer};

const FAULTS_LIMIT: usize = 1000;
const BODY_BYTES_LIMIT: usize = 1024 * 1024;
const DELAY_MS_LIMIT: u64 = 600_000;

/// Why a fault was not taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DefinitionError {
    #[error("the fault can't be read: {0}")]
    Unreadable(String),
    #[error("match {0:?} is not a method and a path without a query, like \"POST /api/v1.1/profiles/import\"")]
    Match(String),
    #[error("faults don't apply to the sandbox's own paths under /_/")]
    OwnPath,
    #[error("the fault does nothing: give status, body, delay_ms or close")]
    Nothing,
    #[error("status {0} is not one between 200 and 599")]
    Status(u16),
    #[error("times is 0: leave it out for a fault that stays until it is cleared")]
    Times,
    #[error("delay_ms is {0}, more than {DELAY_MS_LIMIT}")]
    Delay(u64),
    #[error("the body has {0} bytes, more than {BODY_BYTES_LIMIT}")]
    Body(usize),
    #[error("{0:?} is not a header")]
    Header(String),
    #[error("there are already {FAULTS_LIMIT} faults: clear some by DELETE /_/faults")]
    TooMany,
}

/// Whether the partner still does what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum When {
    /// The fault hits first: nothing is done, unless the fault only delays.
    #[default]
    Before,
    /// The request is carried out; then its answer is replaced or lost.
    After,
}

/// A fault as it is given and listed. Listed, `times` is what remains.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Definition {
    #[serde(rename = "match")]
    target: String,
    #[serde(default)]
    status: Option<u16>,
    #[serde(default)]
    body: Option<Value>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    delay_ms: u64,
    #[serde(default)]
    times: Option<u64>,
    #[serde(default)]
    close: bool,
    #[serde(default)]
    when: When,
}

/// What happens to one request.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) when: When,
    pub(crate) delay: Duration,
    pub(crate) spoilt: Spoilt,
}

/// What the caller does not get.
#[derive(Debug, Clone)]
pub(crate) enum Spoilt {
    /// Nothing is: the answer only comes late.
    Nothing,
    /// The true answer; it gets this one.
    Answer(Answer),
    /// Any answer: the connection is closed.
    Connection,
}

/// A fault in force, as it is listed.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Active {
    id: u64,
    #[serde(flatten)]
    definition: Definition,
    /// How many requests it has hit.
    applied: u64,
    #[serde(skip)]
    method: Method,
    #[serde(skip)]
    path: String,
    #[serde(skip)]
    fault: Fault,
}

/// The faults in force, in the order in which they were given.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    active: Vec<Active>,
    last_id: u64,
}

impl Faults {
    /// Puts a fault in force and gives it as it is listed.
    pub(crate) fn add(&mut self, text: &[u8]) -> Result<Active, DefinitionError> {
        let definition: Definition =
            serde_json::from_slice(text).map_err(|error| DefinitionError::Unreadable(error.to_string()))?;
        let (method, path) = target(&definition.target)?;
        let fault = definition.fault()?;
        if self.active.len() >= FAULTS_LIMIT {
            return Err(DefinitionError::TooMany);
        }
        self.last_id += 1;
        let active = Active { id: self.last_id, definition, applied: 0, method, path, fault };
        self.active.push(active.clone());
        Ok(active)
    }

    /// The fault that hits this request, the oldest first. One whose times are used up is gone.
    pub(crate) fn take(&mut self, method: &Method, route: &str) -> Option<Fault> {
        let position = self.active.iter().position(|active| active.method == *method && active.path == route)?;
        let active = &mut self.active[position];
        active.applied += 1;
        let fault = active.fault.clone();
        if let Some(times) = &mut active.definition.times {
            *times -= 1;
            if *times == 0 {
                self.active.remove(position);
            }
        }
        Some(fault)
    }

    pub(crate) fn list(&self) -> Vec<Active> {
        self.active.clone()
    }

    pub(crate) fn clear(&mut self) {
        self.active.clear();
    }
}

impl Definition {
    fn fault(&self) -> Result<Fault, DefinitionError> {
        if self.times == Some(0) {
            return Err(DefinitionError::Times);
        }
        if self.delay_ms > DELAY_MS_LIMIT {
            return Err(DefinitionError::Delay(self.delay_ms));
        }
        let spoilt = self.spoilt()?;
        if matches!(spoilt, Spoilt::Nothing) && self.delay_ms == 0 {
            return Err(DefinitionError::Nothing);
        }
        Ok(Fault { when: self.when, delay: Duration::from_millis(self.delay_ms), spoilt })
    }

    fn spoilt(&self) -> Result<Spoilt, DefinitionError> {
        let status = self.status.unwrap_or(200);
        let code = StatusCode::from_u16(status)
            .ok()
            .filter(|_| (200..600).contains(&status))
            .ok_or(DefinitionError::Status(status))?;
        let mut answer = match &self.body {
            None => Answer::text(code, ""),
            Some(Value::String(text)) if !looks_like_json(text) => Answer::text(code, text),
            Some(Value::String(text)) => {
                Answer { body: Bytes::copy_from_slice(text.as_bytes()), ..Answer::json(code, &()) }
            }
            Some(value) => Answer::json(code, value),
        };
        if answer.body.len() > BODY_BYTES_LIMIT {
            return Err(DefinitionError::Body(answer.body.len()));
        }
        for (name, value) in &self.headers {
            let header = HeaderName::try_from(name).ok().zip(HeaderValue::try_from(value).ok());
            answer.headers.push(header.ok_or_else(|| DefinitionError::Header(format!("{name}: {value}")))?);
        }
        Ok(match (self.close, self.status.is_some() || self.body.is_some()) {
            (true, _) => Spoilt::Connection,
            (false, true) => Spoilt::Answer(answer),
            (false, false) => Spoilt::Nothing,
        })
    }
}

fn looks_like_json(text: &str) -> bool {
    text.starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

fn target(text: &str) -> Result<(Method, String), DefinitionError> {
    let wrong = || DefinitionError::Match(text.to_owned());
    let (method, path) = text.split_once(' ').ok_or_else(wrong)?;
    if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(wrong());
    }
    if !path.starts_with('/') || path.contains(['?', '#', ' ']) {
        return Err(wrong());
    }
    if path == "/_" || path.starts_with("/_/") {
        return Err(DefinitionError::OwnPath);
    }
    let method = method.parse().map_err(|_| wrong())?;
    Ok((method, call::route(path).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> DefinitionError {
        Faults::default().add(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn refuses_what_it_can_not_do() {
        assert!(matches!(refusal("{"), DefinitionError::Unreadable(_)));
        assert!(matches!(refusal(r#"{"match":"GET /a","status":503,"tymes":1}"#), DefinitionError::Unreadable(_)));
        assert!(matches!(refusal(r#"{"match":"GET /a","status":503,"when":"never"}"#), DefinitionError::Unreadable(_)));
        assert_eq!(refusal(r#"{"match":"/a","status":503}"#), DefinitionError::Match("/a".into()));
        assert_eq!(refusal(r#"{"match":"get /a","status":503}"#), DefinitionError::Match("get /a".into()));
        assert_eq!(refusal(r#"{"match":"GET /a?b","status":503}"#), DefinitionError::Match("GET /a?b".into()));
        assert_eq!(refusal(r#"{"match":"GET /_/faults","status":503}"#), DefinitionError::OwnPath);
        assert_eq!(refusal(r#"{"match":"GET /a"}"#), DefinitionError::Nothing);
        assert_eq!(refusal(r#"{"match":"GET /a","status":101}"#), DefinitionError::Status(101));
        assert_eq!(refusal(r#"{"match":"GET /a","status":503,"times":0}"#), DefinitionError::Times);
        assert_eq!(refusal(r#"{"match":"GET /a","delay_ms":600001}"#), DefinitionError::Delay(600_001));
        assert_eq!(
            refusal(r#"{"match":"GET /a","status":429,"headers":{"retry after":"1"}}"#),
            DefinitionError::Header("retry after: 1".into())
        );
    }

    #[test]
    fn applies_the_oldest_of_two_faults_until_it_is_used_up() {
        let mut faults = Faults::default();
        faults.add(br#"{"match":"GET /a/","status":503,"times":1}"#).unwrap();
        faults.add(br#"{"match":"GET /a","status":504}"#).unwrap();

        let statuses: Vec<u16> = (0..3)
            .filter_map(|_| match faults.take(&Method::GET, "/a")?.spoilt {
                Spoilt::Answer(answer) => Some(answer.status.as_u16()),
                Spoilt::Nothing | Spoilt::Connection => None,
            })
            .collect();

        assert_eq!(statuses, [503, 504, 504]);
        assert!(faults.take(&Method::POST, "/a").is_none());
        assert!(faults.take(&Method::GET, "/a/b").is_none());
    }
}
