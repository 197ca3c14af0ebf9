//! What a body is, by its content type, and how it becomes JSON.

use std::fmt;

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use patchbay_types::{Fault, fault::Code};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// The kinds of bodies that are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Media {
    /// `application/json`, `application/…+json`.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `multipart/form-data`.
    Multipart,
    /// `application/xml`, `text/xml`, `…+xml`.
    Xml,
    /// No content type: taken when it is JSON.
    Unstated,
}

impl Media {
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Fault> {
        let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(Self::Unstated) };
        let text = value.to_str().unwrap_or_default();
        let essence = text.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("application/json") {
            return Ok(Self::Json);
        }
        if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Ok(Self::Form);
        }
        let lower = essence.to_ascii_lowercase();
        match lower.split_once('/') {
            None if lower.is_empty() => Ok(Self::Unstated),
            Some(("multipart", "form-data")) => Ok(Self::Multipart),
            Some(("application" | "text", "xml")) => Ok(Self::Xml),
            Some(("application", name)) if has_suffix(name, "+json") => Ok(Self::Json),
            Some((_, name)) if has_suffix(name, "+xml") => Ok(Self::Xml),
            _ => Err(unsupported(format!("media type {lower:?} is not taken here; send JSON, a form or XML"))),
        }
    }

    /// Whether bodies are JSON as they come.
    pub(crate) fn is_json(self) -> bool {
        matches!(self, Self::Json | Self::Unstated)
    }

    /// What to say of a body that is no JSON.
    pub(crate) fn refusal(self, error: &serde_json::Error) -> Fault {
        match self {
            Self::Unstated => unsupported(format!("the body has no content type and is not JSON: {error}")),
            _ => Fault::invalid(format!("the body is not valid JSON: {error}")),
        }
    }
}

fn unsupported(message: String) -> Fault {
    Fault::new(Code::UnsupportedMedia, message)
}

fn has_suffix(name: &str, suffix: &str) -> bool {
    name.strip_suffix(suffix).is_some_and(|rest| !rest.is_empty())
}

/// Reads JSON without keeping anything, as strictly as a reader that keeps it: the same errors, the same depth.
pub(crate) fn validate(json: &[u8]) -> Result<(), serde_json::Error> {
    serde_json::from_slice::<Seen>(json).map(drop)
}

/// A value that was read and forgotten. Unlike serde's `IgnoredAny` it has strings checked and nesting bounded.
struct Seen;

impl<'de> Deserialize<'de> for Seen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Seen {
    type Value = Self;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self, A::Error> {
        while entries.next_key::<Self>()?.is_some() {
            entries.next_value::<Self>()?;
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use serde_json::Value;

    use super::*;

    fn of(content_type: &'static str) -> Result<Media, Fault> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Media::of(&headers)
    }

    #[test]
    fn knows_its_media_types() {
        assert_eq!(Media::of(&HeaderMap::new()), Ok(Media::Unstated));
        assert_eq!(of("application/json"), Ok(Media::Json));
        assert_eq!(of("Application/JSON; charset=utf-8"), Ok(Media::Json));
        assert_eq!(of("application/cloudevents+json"), Ok(Media::Json));
        assert_eq!(of("application/x-www-form-urlencoded;charset=UTF-8"), Ok(Media::Form));
        assert_eq!(of("Multipart/Form-Data; boundary=x"), Ok(Media::Multipart));
        for xml in ["application/xml", "text/xml; charset=utf-8", "application/soap+xml", "image/svg+XML"] {
            assert_eq!(of(xml), Ok(Media::Xml), "{xml}");
        }
    }

    #[test]
    fn refuses_other_media_types() {
        for other in ["text/plain", "text/x+json", "application/+json", "application/+xml", "multipart/mixed", "json"] {
            assert_eq!(of(other).unwrap_err().code, Code::UnsupportedMedia, "{other}");
        }
    }

    #[test]
    fn validates_as_strictly_as_a_parser() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        let texts: [&[u8]; 14] = [
            b"{}",
            b"[1,2.5,-3,\"x\",null,true]",
            b"{\"a\":{\"b\":[]}}",
            b"\"\\u0000\"",
            b" 1 ",
            b"",
            b"{",
            b"[1,]",
            b"{\"a\":1}x",
            b"\"\xff\"",
            b"{1:2}",
            b"nul",
            b"\"\x01\"",
            deep.as_bytes(),
        ];
        for text in texts {
            let parsed = serde_json::from_slice::<Value>(text).map(drop).map_err(|error| error.to_string());
            assert_eq!(validate(text).map_err(|error| error.to_string()), parsed, "{}", String::from_utf8_lossy(text));
        }
    }
}
