//! What makes an event the same as another: its id inside its source.

use std::fmt::Write;

use axum::http::HeaderMap;
use patchbay_flow::expression::{Expression, Name, Scope, parse_json, to_text};
use patchbay_types::Fault;
use sha2::{Digest, Sha256};

/// The headers by which senders name their events, the first that is there counts.
const HEADERS: [&str; 3] = ["webhook-id", "x-event-id", "idempotency-key"];
const LONGEST: usize = 200;

/// The id that the sender gave in a header.
pub(crate) fn given(headers: &HeaderMap) -> Result<Option<String>, Fault> {
    let Some((name, value)) = HEADERS.into_iter().find_map(|name| Some((name, headers.get(name)?))) else {
        return Ok(None);
    };
    let text = value.to_str().map(str::trim).unwrap_or_default();
    if text.is_empty() || text.len() > LONGEST {
        let message = format!("header {name} must have 1 to {LONGEST} visible characters");
        return Err(Fault::invalid(message).with_field(name));
    }
    Ok(Some(text.to_owned()))
}

/// The id that a partner gave, as it is or, when it is no id that people could read, its digest.
pub(crate) fn of_partner(id: String) -> String {
    if id.chars().count() <= LONGEST && !id.chars().any(char::is_control) {
        return id;
    }
    hexadecimal(Sha256::digest(id.as_bytes()).as_slice())
}

/// The id of content: the SHA-256 of the source, the place among equal items of one request and the canonical value, in
/// hexadecimal.
pub(crate) fn digest(source: &[u8], ordinal: u64, canonical: &[u8]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(source);
    hasher.update(ordinal.to_be_bytes());
    hasher.update(canonical);
    hexadecimal(hasher.finalize().as_slice())
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing into a string can't fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// What the expression gives over an event, as an id.
pub(crate) fn evaluate(expression: &Expression, payload: &[u8], meta: &[u8]) -> Result<String, Fault> {
    let refuse = |reason: &str| Fault::invalid(format!("parameter dedupe gives no event id: {reason}"));
    let mut scope = Scope::new();
    if expression.uses(Name::Trigger) {
        scope.set(Name::Trigger, parse_json(payload).map_err(|error| refuse(&error.to_string()))?);
    }
    if expression.uses(Name::TriggerMeta) {
        scope.set(Name::TriggerMeta, parse_json(meta).map_err(|error| refuse(&error.to_string()))?);
    }
    let value = expression.evaluate(&scope).map_err(|error| refuse(&error.to_string()))?;
    let text = to_text(&value).map_err(|error| refuse(&error.to_string()))?;
    let length = text.chars().count();
    if length == 0 {
        return Err(refuse("the value is missing or empty"));
    }
    if length > LONGEST || text.chars().any(char::is_control) {
        return Err(refuse(&format!("the value must have at most {LONGEST} visible characters")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use patchbay_types::json::canonical;
    use serde_json::json;

    use super::*;

    fn headers(name: &'static str, value: &[u8]) -> HeaderMap {
        HeaderMap::from_iter([(axum::http::HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap())])
    }

    #[test]
    fn takes_the_first_header_that_names_the_event() {
        assert_eq!(given(&HeaderMap::new()), Ok(None));
        let mut both = headers("idempotency-key", b"second");
        assert_eq!(given(&both), Ok(Some("second".to_owned())));
        both.insert("webhook-id", HeaderValue::from_static(" first "));
        assert_eq!(given(&both), Ok(Some("first".to_owned())));
    }

    #[test]
    fn refuses_ids_that_are_empty_long_or_invisible() {
        for value in [b"".as_slice(), b"  ", b"caf\xc3\xa9", &[b'x'; LONGEST + 1]] {
            assert!(given(&headers("x-event-id", value)).is_err());
        }
        assert!(given(&headers("x-event-id", &[b'x'; LONGEST])).is_ok());
    }

    #[test]
    fn a_digest_depends_on_source_place_and_value_alone() {
        let digest = |source: &str, ordinal, value| digest(source.as_bytes(), ordinal, &canonical(&value));
        let one = digest("source", 0, json!({"a": 1, "b": [null]}));
        assert_eq!(one, digest("source", 0, json!({"b": [null], "a": 1})));
        assert_ne!(one, digest("other", 0, json!({"a": 1, "b": [null]})));
        assert_ne!(one, digest("source", 1, json!({"a": 1, "b": [null]})));
        assert_ne!(one, digest("source", 0, json!({"a": 1, "b": []})));
        assert_eq!(one.len(), 64);
    }

    #[test]
    fn an_id_of_a_partner_that_nobody_could_read_is_digested() {
        assert_eq!(of_partner("\u{444} 1".to_owned()), "\u{444} 1");
        for odd in ["a\nb".to_owned(), "x".repeat(LONGEST + 1)] {
            assert_eq!(of_partner(odd.clone()).len(), 64);
            assert_eq!(of_partner(odd.clone()), of_partner(odd));
        }
    }

    #[test]
    fn an_expression_must_give_an_id() {
        let order = Expression::compile("trigger.order").unwrap();
        assert_eq!(evaluate(&order, br#"{"order": 17}"#, b"{}"), Ok("17".to_owned()));
        for payload in ["{}", r#"{"order":""}"#, r#"{"order":"a\nb"}"#, "{"] {
            assert!(evaluate(&order, payload.as_bytes(), b"{}").is_err(), "{payload}");
        }
        let header = Expression::compile("trigger_meta.headers['x-shop'] ~ '-' ~ trigger.order").unwrap();
        let meta = br#"{"headers":{"x-shop":"berlin"}}"#;
        assert_eq!(evaluate(&header, br#"{"order": 17}"#, meta), Ok("berlin-17".to_owned()));
    }
}
