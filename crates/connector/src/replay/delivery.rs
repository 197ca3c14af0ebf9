//! What a partner delivers to a webhook.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use patchbay_flow::expression::{Value, from_json_value, parse_json};
use patchbay_types::Timestamp;
use serde::{Deserialize, de::IntoDeserializer};
use serde_json::Value as Json;

use super::{document::DeliverySection, request::form_values};

/// When a delivery arrives, unless its case says so.
const USUAL_NOW: &str = "2026-01-02T03:04:05Z";

/// The headers and bytes of a delivery, before it is signed.
pub(super) fn build(section: &DeliverySection) -> (HeaderMap, Vec<u8>) {
    let mut headers = HeaderMap::new();
    for (name, value) in &section.headers {
        // Names and values that no header can carry were refused when the file was read.
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            headers.append(name, value);
        }
    }
    let (media, raw) = match (&section.json, &section.form, &section.text) {
        (Some(json), _, _) => ("application/json", json.to_string()),
        (None, Some(form), _) => {
            let mut serializer = form_urlencoded::Serializer::new(String::new());
            for (name, value) in form {
                for value in
                    if let Json::Array(values) = value { values.as_slice() } else { std::slice::from_ref(value) }
                {
                    serializer.append_pair(name, value.as_str().unwrap_or(&value.to_string()));
                }
            }
            ("application/x-www-form-urlencoded", serializer.finish())
        }
        (None, None, text) => ("application/json", text.clone().unwrap_or_default()),
    };
    headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static(media));
    (headers, raw.into_bytes())
}

/// The body as a trigger sees it: JSON, or a form as a flat object. `None` when it is neither.
pub(super) fn body(headers: &HeaderMap, raw: &[u8]) -> Option<Value> {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if media.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
        return Some(from_json_value(&Json::from_iter(form_values(raw))));
    }
    parse_json(raw).ok()
}

/// The time of a case; `None` when the text is no time.
pub(super) fn now(text: Option<&str>) -> Option<Timestamp> {
    let text = text.unwrap_or(USUAL_NOW).strip_suffix('Z')?;
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let deserializer: serde::de::value::StringDeserializer<serde::de::value::Error> =
        format!("{seconds}.{fraction:0<6}Z").into_deserializer();
    Timestamp::deserialize(deserializer).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_with_and_without_a_fraction() {
        let micros = |text| now(Some(text)).map(Timestamp::as_micros);
        assert_eq!(micros("1970-01-01T00:00:01Z"), Some(1_000_000));
        assert_eq!(micros("1970-01-01T00:00:01.5Z"), Some(1_500_000));
        for text in ["", "Z", "yesterday", "1970-01-01", "1970-01-01T00:00:01", "1970-01-01T00:00:01.1234567Z"] {
            assert_eq!(micros(text), None, "{text}");
        }
    }
}
