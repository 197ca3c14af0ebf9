//! The trigger `event.received`: programs publish events, and every source that wants one takes it.

use std::sync::Arc;

use bytes::Bytes;
use patchbay_broker::Message;
use patchbay_proto::event::v1::{PublishRequest, PublishResponse, PublishedEvent};
use patchbay_types::{Fault, Timestamp, WorkspaceId, json};
use serde_json::{Map, Value};

use crate::{
    domain::{Kind, Source},
    event::Event,
    http::Ingress,
    identity,
};

impl Ingress {
    /// Takes events in. When it returns, all that anybody wants are durable; the others are counted.
    pub(crate) async fn publish_events(&self, request: PublishRequest) -> Result<PublishResponse, Fault> {
        let workspace = WorkspaceId::new(request.workspace_id);
        // A trigger that was published a moment ago must not be missed.
        let sources = self.sources.published(workspace).await?;
        let accepted_at = self.clock.now();
        let (mut messages, mut counts) = (Vec::new(), Vec::with_capacity(request.events.len()));
        let mut bytes = 0;
        for event in &request.events {
            let before = messages.len();
            for source in sources.iter().filter(|source| wants(source, event)) {
                messages.push((Arc::clone(source), message(source, event, accepted_at)?));
                bytes += event.data.len();
            }
            if messages.len() == before {
                self.telemetry.no_automation();
            }
            counts.push(i64::try_from(messages.len() - before).unwrap_or(i64::MAX));
        }
        if !messages.is_empty() {
            let events = messages.len();
            self.publish_in_time(messages).await?;
            self.telemetry.accepted(events, bytes);
        }
        Ok(PublishResponse { sources: counts })
    }
}

fn wants(source: &Source, event: &PublishedEvent) -> bool {
    matches!(&source.kind, Kind::Published(wanted) if wanted.takes(event))
}

fn message(source: &Source, event: &PublishedEvent, accepted_at: Timestamp) -> Result<Message, Fault> {
    let event_id = identity::of_partner(event.id.clone());
    let fired = Event { id: event_id, producer: event.source.clone(), payload: event.data.clone(), ..Event::default() };
    Ok(fired.into_message(source, accepted_at, meta(event, accepted_at)?))
}

/// `trigger_meta`: the attributes, and when the event came.
fn meta(event: &PublishedEvent, accepted_at: Timestamp) -> Result<Bytes, Fault> {
    let mut attributes: Map<String, Value> =
        serde_json::from_slice(&event.attributes).map_err(|_| Fault::invalid("the attributes can't be read"))?;
    attributes.insert("received_at".to_owned(), accepted_at.to_string().into());
    Ok(json::canonical(&Value::Object(attributes)).into())
}
