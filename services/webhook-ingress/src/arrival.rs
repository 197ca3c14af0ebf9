//! One request that was taken in, on its way to becoming a message: pure work, no waiting.

use std::{borrow::Cow, sync::Arc, time::Duration};

use axum::http::request::Parts;
use bytes::Bytes;
use patchbay_broker::Message;
use patchbay_proto::event::v1::TriggerFired;
use patchbay_types::{Fault, Timestamp, fault::Code, json};
use prost::Message as _;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    domain::{Dedupe, Source},
    identity,
    media::{self, Media},
    meta,
};

/// The mark that some senders put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A request that was taken in.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) source: Arc<Source>,
    pub(crate) head: Parts,
    pub(crate) media: Media,
    pub(crate) body: Bytes,
    pub(crate) received_at: Timestamp,
    /// How long an equal body counts as the same event.
    pub(crate) dedupe_window: Duration,
}

impl Arrival {
    /// The message that fires the trigger, or why there is none.
    pub(crate) fn into_message(self) -> Result<Message, Fault> {
        let body = self.json();
        let meta = meta::write(&self.head, self.received_at)
            .map_err(|error| Fault::new(Code::Internal, format!("the headers can't be written as JSON: {error}")))?;
        let (event_id, dedupe_window) = self.identify(&body, &meta)?;
        let fired = TriggerFired {
            workspace_id: self.source.workspace.get(),
            source_id: self.source.id.clone(),
            event_id,
            accepted_at: self.received_at.as_micros(),
            payload: body.text,
            meta: meta.into(),
            dedupe_window: i64::try_from(dedupe_window.as_micros()).unwrap_or(i64::MAX),
        };
        let payload = fired.encode_to_vec().into();
        Ok(Message { key: fired.event_id.into(), headers: Vec::new(), payload })
    }

    fn json(&self) -> Json {
        if self.media == Media::Form {
            let tree = Value::Object(media::form(&self.body));
            return Json { text: json::canonical(&tree).into(), tree: Some(tree) };
        }
        let mut text = self.body.clone();
        if text.starts_with(BYTE_ORDER_MARK) {
            text = text.slice(BYTE_ORDER_MARK.len()..);
        }
        if let Cow::Owned(harmless) = json::harmless(&text) {
            text = harmless.into();
        }
        Json { text, tree: None }
    }

    /// The event's id, and how long it counts; zero is the whole horizon. The body is known to be JSON afterwards.
    fn identify(&self, body: &Json, meta: &[u8]) -> Result<(String, Duration), Fault> {
        let id = match &self.source.dedupe {
            Dedupe::Broken(reason) => return Err(Fault::invalid(reason.as_str())),
            Dedupe::Auto => match identity::given(&self.head.headers)? {
                Some(id) => id,
                None => return Ok((self.digest(body)?, self.dedupe_window)),
            },
            Dedupe::Off => Uuid::new_v4().to_string(),
            Dedupe::Expression(expression) => {
                self.validate(body)?;
                return Ok((identity::evaluate(expression, &body.text, meta)?, Duration::ZERO));
            }
        };
        self.validate(body)?;
        Ok((id, Duration::ZERO))
    }

    fn digest(&self, body: &Json) -> Result<String, Fault> {
        if let Some(tree) = &body.tree {
            return Ok(identity::digest(&self.source.id, tree));
        }
        let tree: Value = serde_json::from_slice(&body.text).map_err(|error| self.media.refusal(&error))?;
        Ok(identity::digest(&self.source.id, &tree))
    }

    fn validate(&self, body: &Json) -> Result<(), Fault> {
        match body.tree {
            Some(_) => Ok(()),
            None => media::validate(&body.text).map_err(|error| self.media.refusal(&error)),
        }
    }
}

/// A body as JSON, not yet known to be valid.
struct Json {
    text: Bytes,
    /// The value, where the text was made from it.
    tree: Option<Value>,
}
