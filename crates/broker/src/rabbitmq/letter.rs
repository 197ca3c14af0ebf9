//! What the broker says of a message that it moved to the dead letters.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};

use super::names::Names;
use crate::dead_letter::{ERROR, REASON, REDELIVERY_LIMIT, TOPIC};

/// The headers of ours that a dead letter of the broker's gets; none where the publisher was one of us.
pub(super) fn headers(properties: &BasicProperties, routing_key: &str, names: &Names) -> Vec<(String, String)> {
    let Some(table) = properties.headers() else { return Vec::new() };
    let Some(reason) = text(table, "x-first-death-reason") else { return Vec::new() };
    let queue = text(table, "x-first-death-queue").unwrap_or_default();
    let topic = names.topic_of(&queue).map_or_else(|| routing_key.to_owned(), |topic| topic.name().to_owned());
    let (reason, error) = match reason.as_str() {
        "delivery_limit" => {
            let limit = names.delivery_limit();
            (REDELIVERY_LIMIT.to_owned(), format!("it came back to queue {queue} more than {limit} times"))
        }
        other => (other.to_owned(), format!("queue {queue} gave it up: {other}")),
    };
    [(TOPIC, topic), (REASON, reason), (ERROR, error)].map(|(name, value)| (name.to_owned(), value)).into()
}

fn text(table: &FieldTable, name: &str) -> Option<String> {
    match table.inner().get(name)? {
        AMQPValue::LongString(text) => Some(text.to_string()),
        _ => None,
    }
}
