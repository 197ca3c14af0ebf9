//! One request that was taken in, and what its body says: pure work, no waiting.

use std::borrow::Cow;

use axum::http::{HeaderName, request::Parts};
use bytes::Bytes;
use patchbay_flow::expression;
use patchbay_types::{Fault, Timestamp, fault::Code, json};
use serde_json::Value;

use crate::{
    canonical::canonical,
    form,
    media::{self, Media},
    meta, multipart, xml,
};

/// The mark that some senders put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A request that was taken in.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) head: Parts,
    pub(crate) media: Media,
    pub(crate) body: Bytes,
    pub(crate) received_at: Timestamp,
}

impl Arrival {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Result<Json, Fault> {
        let tree = match self.media {
            Media::Json | Media::Unstated => return Ok(self.text()),
            Media::Form => form::read(&self.body)?,
            Media::Multipart => multipart::read(&self.head.headers, &self.body)?,
            Media::Xml => Value::String(xml::read(&self.head.headers, &self.body)?),
        };
        Ok(Json { text: json::canonical(&tree).into(), tree: Some(tree), media: self.media })
    }

    fn text(&self) -> Json {
        let mut text = self.body.clone();
        if text.starts_with(BYTE_ORDER_MARK) {
            text = text.slice(BYTE_ORDER_MARK.len()..);
        }
        if let Cow::Owned(harmless) = json::harmless(&text) {
            text = harmless.into();
        }
        Json { text, tree: None, media: self.media }
    }

    /// `trigger_meta` as JSON, without the headers that prove who the sender is, `proofs` among them.
    pub(crate) fn meta(&self, proofs: &[HeaderName]) -> Result<Bytes, Fault> {
        let written = meta::write(&self.head, proofs, self.received_at);
        let broken = |error| Fault::new(Code::Internal, format!("the headers can't be written as JSON: {error}"));
        written.map(Bytes::from).map_err(broken)
    }
}

/// A body as JSON, not yet known to be valid.
#[derive(Debug)]
pub(crate) struct Json {
    pub(crate) text: Bytes,
    /// The value, where the text was made from it and so is canonical.
    tree: Option<Value>,
    media: Media,
}

impl Json {
    pub(crate) fn validate(&self) -> Result<(), Fault> {
        match self.tree {
            Some(_) => Ok(()),
            None => media::validate(&self.text).map_err(|error| self.media.refusal(&error)),
        }
    }

    /// The one text that all spellings of the same value have.
    pub(crate) fn canonical(&self) -> Result<Bytes, Fault> {
        if self.tree.is_some() {
            return Ok(self.text.clone());
        }
        canonical(&self.text).map(Bytes::from).map_err(|error| self.media.refusal(&error))
    }

    /// The value as expressions see it.
    pub(crate) fn value(&self) -> Result<expression::Value, Fault> {
        match &self.tree {
            Some(tree) => Ok(expression::from_json_value(tree)),
            None => serde_json::from_slice(&self.text).map_err(|error| self.media.refusal(&error)),
        }
    }
}
