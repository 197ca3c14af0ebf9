//! What people fill in: how it is read, checked, and parted into what may be shown and what is sealed.

use patchbay_connector::{Connector, FieldFault};
use patchbay_types::{
    Fault,
    fault::Code,
    json::{canonical, harmless},
};
use patchbay_vault::Secret;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::domain::Fields;

/// The most bytes that the fields of one connection may have.
const LARGEST_BYTES: usize = 16 * 1024;
/// A message about many fields ends here, in characters.
const LONGEST_MESSAGE: usize = 1_000;
const LONGEST_NAME: usize = 100;
/// How a masked secret begins.
const MASKED: &str = "••";

/// Fields in two parts.
pub(crate) struct Parted {
    /// All fields, with masks for secrets.
    pub(crate) shown: Fields,
    /// Secrets that are to be sealed: name and plaintext of their JSON.
    pub(crate) fresh: Vec<(String, Zeroizing<Vec<u8>>)>,
    /// Secret fields that hold nothing.
    pub(crate) absent: Vec<String>,
}

/// Reads a JSON object; nothing is the empty one. The message never repeats what was sent.
pub(crate) fn read(text: &[u8]) -> Result<Fields, Fault> {
    if text.is_empty() {
        return Ok(Fields::new());
    }
    if text.len() > LARGEST_BYTES {
        let message = format!("the fields have {} bytes, {LARGEST_BYTES} are allowed", text.len());
        return Err(Fault::new(Code::TooLarge, message).with_field("fields"));
    }
    let parsed = serde_json::from_slice(&harmless(text));
    parsed.map_err(|_| Fault::invalid("the fields are not a JSON object").with_field("fields"))
}

/// Checks fields as the connector wants them, and adds its defaults.
pub(crate) fn complete(connector: &Connector, fields: &Fields) -> Result<Fields, Fault> {
    connector.validate_connection(fields).map_err(|faults| fault_of(&faults))?;
    let mut complete = connector.with_defaults(fields);
    complete.retain(|_, value| !value.is_null());
    Ok(complete)
}

/// Parts complete fields. A secret that equals the mask shown so far was not changed: it was not named, or sent back as
/// it was read. Another mask was read some time ago, and is no secret.
pub(crate) fn part(connector: &Connector, complete: Fields, shown_so_far: &Fields) -> Result<Parted, Fault> {
    let mut parted = Parted { shown: complete, fresh: Vec::new(), absent: Vec::new() };
    for name in connector.secret_fields() {
        let given = parted.shown.remove(name).filter(|value| value.as_str() != Some(""));
        let Some(value) = given else {
            parted.absent.push(name.to_owned());
            continue;
        };
        if shown_so_far.get(name) == Some(&value) {
            parted.shown.insert(name.to_owned(), value);
            continue;
        }
        if value.as_str().is_some_and(|text| text.starts_with(MASKED)) {
            let message = "this is how a secret is shown, not the secret; leave it out to keep the one that is there";
            return Err(Fault::invalid(message).with_field(format!("fields.{name}")));
        }
        parted.shown.insert(name.to_owned(), Value::String(mask(&value)));
        parted.fresh.push((name.to_owned(), Zeroizing::new(canonical(&value))));
    }
    Ok(parted)
}

fn mask(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    Secret::from(Zeroizing::new(text.as_bytes().to_vec())).to_string()
}

fn fault_of(faults: &[FieldFault]) -> Fault {
    let all: Vec<String> = faults.iter().map(FieldFault::to_string).collect();
    let fault = Fault::invalid(shortened(&format!("connection fields: {}", all.join("; ")), LONGEST_MESSAGE));
    match faults.first() {
        Some(first) => fault.with_field(format!("fields.{}", shortened(&first.field, LONGEST_NAME))),
        None => fault.with_field("fields"),
    }
}

fn shortened(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_the_empty_object() {
        assert_eq!(read(b""), Ok(Fields::new()));
        assert_eq!(read(b"{}"), Ok(Fields::new()));
    }

    #[test]
    fn what_is_no_object_is_refused_without_repeating_it() {
        for text in [r#""hunter2-hunter2""#, "[1]", "{", r#"{"token":"hunter2-hunter2""#, "null"] {
            let fault = read(text.as_bytes()).unwrap_err();
            assert_eq!(fault, Fault::invalid("the fields are not a JSON object").with_field("fields"));
        }
    }

    #[test]
    fn too_many_bytes_are_refused() {
        let text = format!(r#"{{"token":"{}"}}"#, "x".repeat(LARGEST_BYTES));
        assert_eq!(read(text.as_bytes()).unwrap_err().code, Code::TooLarge);
    }

    #[test]
    fn long_messages_end() {
        assert_eq!(shortened("äöü", 3), "äöü");
        assert_eq!(shortened("äöüß", 3), "äöü…");
    }
}
