//! CloudEvents 1.0 as HTTP carries them: one event in structured or binary mode, or a batch.
//!
//! Source: the CloudEvents specification 1.0.2, its JSON format and its HTTP protocol binding.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, header::CONTENT_TYPE};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use patchbay_proto::event::v1::PublishedEvent;
use patchbay_types::{
    Fault,
    fault::Code,
    json::{canonical, harmless},
};
use serde_json::{Value, value::RawValue};

/// The most events of a batch.
pub(crate) const MOST: usize = 1_000;
/// The longest attribute, in bytes.
const LONGEST: usize = 1_024;
const PREFIX: &str = "ce-";

type Attributes = BTreeMap<String, Value>;

/// The events of a request.
///
/// # Errors
/// What is no `CloudEvent`, with the attribute; of a batch, with the place of the event in it.
pub(crate) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Vec<PublishedEvent>, Fault> {
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence == "application/cloudevents-batch+json" {
        return batch(body);
    }
    if essence == "application/cloudevents+json" {
        return structured(body).map(|event| vec![event]);
    }
    if essence.starts_with("application/cloudevents") {
        let message = "of the formats of CloudEvents only JSON is taken: application/cloudevents+json";
        return Err(Fault::new(Code::UnsupportedMedia, message));
    }
    if headers.contains_key("ce-specversion") {
        return binary(headers, &essence, media, body).map(|event| vec![event]);
    }
    if essence == "application/json" {
        // Senders often forget the media type of what they send.
        return match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'[') => batch(body),
            _ => structured(body).map(|event| vec![event]),
        };
    }
    let message = "send one CloudEvent as application/cloudevents+json, several as application/cloudevents-batch+json, \
                   or one by headers that begin with ce-";
    Err(Fault::new(Code::UnsupportedMedia, message))
}

fn batch(body: &[u8]) -> Result<Vec<PublishedEvent>, Fault> {
    let body = harmless(body);
    let events: Vec<BTreeMap<String, Box<RawValue>>> = serde_json::from_slice(&body)
        .map_err(|error| Fault::invalid(format!("the body is no list of CloudEvents: {error}")))?;
    if events.len() > MOST {
        let message = format!("a batch may have {MOST} events, this one has {}; send several", events.len());
        return Err(Fault::new(Code::TooLarge, message));
    }
    let placed = |(place, members)| {
        object(members).map_err(|mut fault: Fault| {
            fault.field = Some(format!("[{place}].{}", fault.field.unwrap_or_default()));
            fault
        })
    };
    events.into_iter().enumerate().map(placed).collect()
}

fn structured(body: &[u8]) -> Result<PublishedEvent, Fault> {
    let body = harmless(body);
    let members = serde_json::from_slice(&body)
        .map_err(|error| Fault::invalid(format!("the body is no CloudEvent in JSON: {error}")))?;
    object(members)
}

/// An event of the JSON format.
fn object(mut members: BTreeMap<String, Box<RawValue>>) -> Result<PublishedEvent, Fault> {
    let (data, encoded) = (members.remove("data"), members.remove("data_base64"));
    let mut attributes = Attributes::new();
    for (name, value) in members {
        let value: Value = serde_json::from_str(value.get()).map_err(|error| wrong(&name, &error.to_string()))?;
        match value {
            Value::Null => {}
            Value::String(_) | Value::Bool(_) | Value::Number(_) => {
                attributes.insert(name, value);
            }
            Value::Array(_) | Value::Object(_) => {
                return Err(wrong(
                    &name,
                    "an attribute is a text, a number, true or false; anything else goes into `data`",
                ));
            }
        }
    }
    let data = match (data, encoded) {
        (Some(_), Some(_)) => return Err(wrong("data_base64", "there is `data` too; an event has one of them")),
        (Some(data), None) => Bytes::from(Box::<str>::from(data).into_string()),
        (None, Some(encoded)) => {
            let text: String =
                serde_json::from_str(encoded.get()).map_err(|_| wrong("data_base64", "expected a text"))?;
            let bytes = STANDARD.decode(text).map_err(|_| wrong("data_base64", "expected Base64"))?;
            let media = attributes.get("datacontenttype").and_then(Value::as_str).unwrap_or("application/json");
            content(media, &bytes)?
        }
        (None, None) => Bytes::from_static(b"null"),
    };
    event(attributes, data)
}

/// An event whose attributes are headers.
fn binary(headers: &HeaderMap, essence: &str, media: &str, body: &[u8]) -> Result<PublishedEvent, Fault> {
    let mut attributes = Attributes::new();
    for (name, value) in headers {
        let Some(name) = name.as_str().strip_prefix(PREFIX) else { continue };
        let text = value.to_str().map_err(|_| wrong(name, "expected percent-encoded UTF-8"))?;
        attributes.insert(
            name.to_owned(),
            Value::String(decoded(text).ok_or_else(|| wrong(name, "expected percent-encoded UTF-8"))?),
        );
    }
    if !media.is_empty() {
        attributes.insert("datacontenttype".to_owned(), media.into());
    }
    let data = if body.is_empty() { Bytes::from_static(b"null") } else { content(essence, body)? };
    event(attributes, data)
}

/// Data as JSON: JSON as it is, text as a JSON text, other bytes as a text in Base64.
fn content(media: &str, bytes: &[u8]) -> Result<Bytes, Fault> {
    let essence = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence.is_empty() || essence.ends_with("json") {
        let data = harmless(bytes);
        serde_json::from_slice::<&RawValue>(&data)
            .map_err(|error| wrong("data", &format!("the data is not JSON: {error}")))?;
        return Ok(Bytes::copy_from_slice(&data));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.replace('\0', ""),
        Err(_) => STANDARD.encode(bytes),
    };
    Ok(Bytes::from(Value::String(text).to_string()))
}

fn event(attributes: Attributes, data: Bytes) -> Result<PublishedEvent, Fault> {
    for (name, value) in &attributes {
        let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if !plain || name.is_empty() || name.len() > 64 {
            return Err(wrong(name, "the name of an attribute has small letters and digits only"));
        }
        if value.as_str().is_some_and(|text| text.len() > LONGEST) {
            return Err(wrong(name, &format!("an attribute may have {LONGEST} bytes")));
        }
    }
    let version = text(&attributes, "specversion")?;
    if version != "1.0" {
        return Err(wrong("specversion", &format!("expected \"1.0\", found {version:?}")));
    }
    let optional = |name| attributes.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(PublishedEvent {
        id: text(&attributes, "id")?,
        source: text(&attributes, "source")?,
        r#type: text(&attributes, "type")?,
        subject: optional("subject"),
        time: optional("time"),
        data,
        attributes: canonical(&Value::Object(attributes.into_iter().collect())).into(),
    })
}

/// An attribute that every event has.
fn text(attributes: &Attributes, name: &'static str) -> Result<String, Fault> {
    match attributes.get(name) {
        Some(Value::String(text)) if text.trim().is_empty() => Err(wrong(name, "it is empty")),
        Some(Value::String(text)) if text.chars().any(char::is_control) => {
            Err(wrong(name, "it may have no control characters"))
        }
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(wrong(name, "expected a text")),
        None => Err(wrong(name, "every CloudEvent has it")),
    }
}

/// Percent-decoding as the HTTP binding has it (section 3.1.3.2). Nothing when it is no UTF-8.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

fn wrong(name: &str, reason: &str) -> Fault {
    let name: String = name.chars().take(64).collect();
    Fault::invalid(format!("attribute `{name}`: {reason}")).with_field(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| (name.parse().unwrap(), value.parse().unwrap());
        pairs.iter().map(pair).collect()
    }

    fn structured_mode() -> HeaderMap {
        headers(&[("content-type", "application/cloudevents+json; charset=utf-8")])
    }

    fn created() -> PublishedEvent {
        PublishedEvent {
            id: "1".to_owned(),
            source: "/shop".to_owned(),
            r#type: "com.acme.created".to_owned(),
            subject: String::new(),
            time: String::new(),
            data: Bytes::from_static(br#"{"n":1.10}"#),
            attributes: Bytes::from_static(
                br#"{"id":"1","source":"/shop","specversion":"1.0","type":"com.acme.created"}"#,
            ),
        }
    }

    #[test]
    fn reads_an_event_in_every_mode() {
        let body = br#"{"specversion":"1.0","id":"1","source":"/shop","type":"com.acme.created","data":{"n":1.10}}"#;
        assert_eq!(read(&structured_mode(), body), Ok(vec![created()]));
        assert_eq!(read(&headers(&[("content-type", "application/json")]), body), Ok(vec![created()]));
        let list = [b"[".as_slice(), body, b",", body, b"]"].concat();
        let media = headers(&[("content-type", "application/cloudevents-batch+json")]);
        assert_eq!(read(&media, &list), Ok(vec![created(), created()]));
        assert_eq!(read(&media, b"[]"), Ok(vec![]));
    }

    #[test]
    fn reads_attributes_from_headers() {
        let head = headers(&[
            ("ce-specversion", "1.0"),
            ("ce-id", "1"),
            ("ce-source", "/shop"),
            ("ce-type", "com.acme.created"),
            ("ce-subject", "Euro%20%E2%82%AC 100%"),
            ("content-type", "application/json"),
        ]);
        let event = read(&head, br#"{"n":1.10}"#).unwrap().remove(0);
        assert_eq!((event.subject.as_str(), event.data), ("Euro € 100%", created().data));
        let attributes: Value = serde_json::from_slice(&event.attributes).unwrap();
        assert_eq!(attributes["datacontenttype"], "application/json");
        assert_eq!(read(&head, b"").unwrap().remove(0).data, "null");
    }

    #[test]
    fn data_that_is_no_json_is_a_text() {
        let event = |members: Value| {
            let mut event = json!({"specversion": "1.0", "id": "1", "source": "s", "type": "t"});
            event.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            read(&structured_mode(), event.to_string().as_bytes()).map(|mut events| events.remove(0).data)
        };
        assert_eq!(event(json!({"data_base64": "eyJhIjoxfQ=="})).unwrap(), r#"{"a":1}"#);
        assert_eq!(event(json!({"data_base64": "aGk=", "datacontenttype": "text/plain"})).unwrap(), r#""hi""#);
        assert_eq!(event(json!({"data_base64": "/w==", "datacontenttype": "image/png"})).unwrap(), r#""/w==""#);
        assert_eq!(event(json!({"data_base64": "*"})).unwrap_err().field.as_deref(), Some("data_base64"));
        assert!(event(json!({"data_base64": "aGk="})).is_err());
        assert!(event(json!({"data": 1, "data_base64": "aGk="})).is_err());
    }

    #[test]
    fn says_which_attribute_is_wrong() {
        let sound = json!({"specversion": "1.0", "id": "1", "source": "s", "type": "t"});
        for (name, value) in [
            ("specversion", json!("0.3")),
            ("id", json!("")),
            ("id", json!(7)),
            ("source", json!(null)),
            ("type", json!("a\nb")),
            ("Extra", json!("x")),
            ("extra", json!({})),
            ("extra", json!("x".repeat(LONGEST + 1))),
        ] {
            let mut event = sound.clone();
            event[name] = value;
            let fault = read(&structured_mode(), event.to_string().as_bytes()).unwrap_err();
            assert_eq!((fault.code, fault.field.as_deref()), (Code::InvalidArgument, Some(name)), "{event}");
            let list = json!([sound, event]).to_string();
            let media = headers(&[("content-type", "application/cloudevents-batch+json")]);
            assert_eq!(read(&media, list.as_bytes()).unwrap_err().field, Some(format!("[1].{name}")));
        }
    }

    #[test]
    fn refuses_what_is_no_event() {
        for body in [&b""[..], b"{", b"[]", b"1", b"\xff", b"{}"] {
            assert_eq!(read(&structured_mode(), body).unwrap_err().code, Code::InvalidArgument, "{body:?}");
        }
        for media in ["application/cloudevents+avro", "text/plain", "application/xml"] {
            let refused = read(&headers(&[("content-type", media)]), b"{}").unwrap_err();
            assert_eq!(refused.code, Code::UnsupportedMedia, "{media}");
        }
        assert_eq!(read(&HeaderMap::new(), b"{}").unwrap_err().code, Code::UnsupportedMedia);
        let many = format!("[{}]", vec!["{}"; MOST + 1].join(","));
        let media = headers(&[("content-type", "application/cloudevents-batch+json")]);
        assert_eq!(read(&media, many.as_bytes()).unwrap_err().code, Code::TooLarge);
    }
}
