//! Declares the queues and exchanges, or makes sure that they are there.

use std::time::Duration;

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, Connection, ExchangeKind};
use patchbay_proto::Topic;
use tokio::time::timeout;

use super::address::Address;
use super::fault::{self, Fault};
use super::names::Names;

/// What is declared.
enum Item<'a> {
    Exchange(&'a ShortString, ExchangeKind),
    Queue(&'a ShortString, FieldTable),
    /// The queue of dead letters to its exchange.
    Binding(&'a ShortString),
}

impl Item<'_> {
    const fn name(&self) -> &ShortString {
        match self {
            Self::Exchange(name, _) | Self::Queue(name, _) | Self::Binding(name) => name,
        }
    }

    async fn declare(&self, channel: &Channel, passive: bool) -> lapin::Result<()> {
        match self {
            Self::Exchange(name, kind) => {
                let options = ExchangeDeclareOptions { passive, durable: true, ..ExchangeDeclareOptions::default() };
                channel.exchange_declare((*name).clone(), kind.clone(), options, FieldTable::default()).await
            }
            Self::Queue(name, arguments) => {
                let options = QueueDeclareOptions { passive, durable: true, ..QueueDeclareOptions::default() };
                channel.queue_declare((*name).clone(), options, arguments.clone()).await.map(drop)
            }
            Self::Binding(_) if passive => Ok(()),
            Self::Binding(name) => {
                let (options, none) = (QueueBindOptions::default(), FieldTable::default());
                channel.queue_bind((*name).clone(), (*name).clone(), ShortString::default(), options, none).await
            }
        }
    }
}

/// Declares all that is missing. Who may not declare must find it there.
pub(super) async fn declare(
    connection: &Connection,
    address: &Address,
    names: &Names,
    within: Duration,
) -> Result<(), Fault> {
    let late = |_| Fault::Passing(format!("did not declare the queues within {within:?}"));
    timeout(within, declare_all(connection, address, names)).await.unwrap_or_else(|elapsed| Err(late(elapsed)))
}

async fn declare_all(connection: &Connection, address: &Address, names: &Names) -> Result<(), Fault> {
    let open = async || connection.create_channel().await.map_err(|error| Fault::Passing(fault::words_of(&error)));
    let mut channel = open().await?;
    for item in items(names) {
        let Err(error) = item.declare(&channel, false).await else { continue };
        let fault = Fault::of_using(&error, address, "configure", item.name().as_str());
        if !fault::is_refused(&error) {
            return Err(fault);
        }
        // The refusal closed the channel.
        channel = open().await?;
        match item.declare(&channel, true).await {
            Ok(()) => {}
            Err(error) if fault::is_missing(&error) => return Err(fault),
            Err(error) => return Err(Fault::of_using(&error, address, "configure", item.name().as_str())),
        }
    }
    // A channel that does not close has declared nevertheless.
    let _ = channel.close(200, "OK".into()).await;
    Ok(())
}

/// Exchanges first: queues name them.
fn items(names: &Names) -> Vec<Item<'_>> {
    let mut items = vec![
        Item::Exchange(names.dead_letter(), ExchangeKind::Fanout),
        Item::Exchange(names.run_finished(), ExchangeKind::Topic),
    ];
    for topic in [Topic::DeadLetter, Topic::TriggerFired] {
        items.extend(names.queues(topic).into_iter().map(|queue| Item::Queue(queue, names.arguments(topic))));
    }
    items.push(Item::Binding(names.dead_letter()));
    items
}
