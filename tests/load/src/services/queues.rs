//! Queues and exchanges of one run.

use std::time::Duration;

use anyhow::{Context, Result};
use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions};
use lapin::{Connection, ConnectionProperties};
use patchbay_proto::Topic;
use tokio::time::timeout;

use super::Place;

/// Queues of small events, by workspace, and those of larger ones. A server can't be asked for its queues in AMQP, so these are
/// the names that the adapter gives them (docs/decisions, 0003).
const LANES: usize = 8;
const LARGER: [&str; 2] = ["large", "huge"];
const DELETE_TIMEOUT: Duration = Duration::from_secs(30);

/// Deletes the queues and exchanges of a place; those that are not there are no fault.
pub(super) async fn delete(broker: &str, place: &Place) -> Result<()> {
    let (queues, exchanges) = (queues(place), exchanges(place));
    let deleted = timeout(DELETE_TIMEOUT, delete_all(broker, &queues, &exchanges)).await;
    deleted.context("queues were not deleted in time")?
}

fn queues(place: &Place) -> Vec<String> {
    let events = format!("{}.{}", place.name, Topic::TriggerFired.name());
    let lanes = (0..LANES).map(|lane| format!("{events}.{lane}"));
    let larger = LARGER.iter().map(|size| format!("{events}.{size}"));
    let dead_letters = format!("{}.{}", place.name, Topic::DeadLetter.name());
    lanes.chain(larger).chain([dead_letters, place.bare_queue()]).collect()
}

fn exchanges(place: &Place) -> Vec<String> {
    [Topic::DeadLetter, Topic::RunFinished].map(|topic| format!("{}.{}", place.name, topic.name())).into()
}

async fn delete_all(broker: &str, queues: &[String], exchanges: &[String]) -> Result<()> {
    #[expect(clippy::disallowed_methods, reason = "queues are removed, which no adapter does")]
    let connected = Connection::connect(broker, ConnectionProperties::default()).await;
    let connection = connected.context("connect to RabbitMQ")?;
    let channel = connection.create_channel().await.context("open a channel")?;
    for queue in queues {
        let deleted = channel.queue_delete(queue.as_str().into(), QueueDeleteOptions::default()).await;
        deleted.with_context(|| format!("delete the queue {queue}"))?;
    }
    for exchange in exchanges {
        let deleted = channel.exchange_delete(exchange.as_str().into(), ExchangeDeleteOptions::default()).await;
        deleted.with_context(|| format!("delete the exchange {exchange}"))?;
    }
    connection.close(200, "done".into()).await.context("leave RabbitMQ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_a_place_may_hold() {
        let place = Place { store: None, broker: None, name: "x".to_owned() };
        let queues = queues(&place);
        assert_eq!(queues.len(), 12);
        assert_eq!(
            [&queues[0], &queues[9], &queues[10]],
            ["x.trigger.fired.0", "x.trigger.fired.huge", "x.dead-letter"]
        );
        assert_eq!(exchanges(&place), ["x.dead-letter", "x.run.finished"]);
    }
}
