//! From a call to its events.

use std::fmt::Write;

use http::HeaderMap;
use patchbay_flow::expression::{Error, Name, Scope, Value, ValueKind, to_text};
use sha2::{Digest, Sha256};

use super::{Fired, Webhook};
use crate::{FieldFault, call::header_values};

/// A call is taken apart at once, so it may be larger than what a run keeps.
const MAX_CALL_BYTES: usize = 8 * 1024 * 1024;
/// The most items of one call.
const MAX_ITEMS: usize = 10_000;
/// A longer event id is replaced by its digest.
const MAX_EVENT_ID_BYTES: usize = 200;

/// Why a call gives no events.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// An expression of the manifest can't read it, now or ever; the fault names the expression.
    #[error(transparent)]
    Wrong(#[from] FieldFault),
    /// It is to be sent in parts.
    #[error("batch: expected at most {most} items")]
    TooMany {
        /// The most items of one call.
        most: usize,
    },
}

impl Webhook {
    pub(super) fn events(
        &self,
        connection: &Value,
        parameters: &Value,
        headers: &HeaderMap,
        body: &Value,
    ) -> Result<Vec<Fired>, Unread> {
        // Only `select` can see the connection.
        let mut scope = Scope::new()
            .with(Name::Body, body.clone())
            .with(Name::Input, parameters.clone())
            .with(Name::Connection, connection.clone());
        if self.sees_headers {
            scope.set(Name::Headers, self.open_headers(headers));
        }
        let mut fired = Vec::new();
        for item in self.items(&scope, body)? {
            scope.set(Name::Item, item.clone());
            if self.is_selected(&scope)? {
                fired.push(Fired { payload: item, event_id: self.id_of(&scope)? });
            }
        }
        Ok(fired)
    }

    /// The headers without those that carry signatures or secrets.
    fn open_headers(&self, headers: &HeaderMap) -> Value {
        let mut open = headers.clone();
        for name in self.verification.headers() {
            open.remove(name);
        }
        header_values(&open)
    }

    fn items(&self, scope: &Scope, body: &Value) -> Result<Vec<Value>, Unread> {
        let Some(batch) = &self.batch else { return Ok(vec![body.clone()]) };
        let items = batch.evaluate_within(scope, MAX_CALL_BYTES).map_err(fault("batch"))?;
        match items.kind() {
            ValueKind::Undefined | ValueKind::None => Ok(Vec::new()),
            ValueKind::Seq => {
                let items: Vec<Value> = items.try_iter().into_iter().flatten().take(MAX_ITEMS + 1).collect();
                if items.len() > MAX_ITEMS {
                    return Err(Unread::TooMany { most: MAX_ITEMS });
                }
                Ok(items)
            }
            _ => Ok(vec![items]),
        }
    }

    fn is_selected(&self, scope: &Scope) -> Result<bool, FieldFault> {
        self.select.as_ref().map_or(Ok(true), |select| select.is_true(scope).map_err(fault("select")))
    }

    fn id_of(&self, scope: &Scope) -> Result<Option<String>, FieldFault> {
        let Some(event_id) = &self.event_id else { return Ok(None) };
        let id = event_id.evaluate(scope).and_then(|id| to_text(&id)).map_err(fault("event_id"))?;
        if id.len() <= MAX_EVENT_ID_BYTES {
            return Ok((!id.is_empty()).then_some(id));
        }
        let mut digest = "sha256:".to_owned();
        for byte in Sha256::digest(&id) {
            let _ = write!(digest, "{byte:02x}");
        }
        Ok(Some(digest))
    }
}

fn fault(place: &'static str) -> impl Fn(Error) -> FieldFault {
    move |error| FieldFault::new(place, error.to_string())
}
