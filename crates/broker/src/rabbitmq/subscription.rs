//! How a session comes to its deliveries, also when one of its queues does not answer.

use futures_util::FutureExt;
use lapin::options::{BasicConsumeOptions, BasicQosOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, Connection, Consumer};
use tokio::time::{sleep, timeout};

use super::fault::{Fault, words_of};
use super::link::Plan;
use super::names::{Names, Source};
use super::session::Session;

impl Session {
    /// Asks for the deliveries of all queues but those that are left out.
    pub(super) async fn subscribe(&mut self, channel: &Channel) -> Result<Vec<Consumer>, Fault> {
        let passing = |error: lapin::Error| Fault::Passing(words_of(&error));
        let mut consumers = Vec::new();
        self.shelf.begin();
        for Source { queue, prefetch } in self.sources.iter().filter(|source| !self.mute.contains(&source.queue)) {
            let reading = |error: &lapin::Error| Fault::of_using(error, &self.plan.address, "read", queue.as_str());
            channel.basic_qos(*prefetch, BasicQosOptions::default()).await.map_err(passing)?;
            if queue.as_str().is_empty() {
                let tail = self.tail(channel).await;
                let from = self.plan.names.run_finished().as_str();
                consumers.push(tail.map_err(|error| Fault::of_using(&error, &self.plan.address, "read", from))?);
                continue;
            }
            let Ok(consumer) = timeout(self.plan.options.connect_timeout, consume(channel, queue.clone())).await else {
                self.mute.push(queue.clone());
                // What the channel has of the other queues comes back when the broker no longer waits for this one, which
                // takes it up to 30 s. Everything else goes on by the next channel.
                return Err(Fault::Passing(self.left_out().unwrap_or_default()));
            };
            consumers.push(consumer.map_err(|error| reading(&error))?);
        }
        Ok(consumers)
    }

    /// What an operator must know of the queues that are left out.
    pub(super) fn left_out(&self) -> Option<String> {
        let names = self.mute.iter().map(ShortString::as_str).collect::<Vec<_>>().join(", ");
        let see = "see `rabbitmqctl list_queues name leader online`";
        (!self.mute.is_empty()).then(|| format!("{names} does not answer; {see}"))
    }

    /// Returns when a queue that was left out answers. It is asked on a channel of its own, which it would block.
    pub(super) async fn answers(&self, connection: &Connection) {
        let Plan { options, .. } = &*self.plan;
        loop {
            sleep(options.reconnect_wait_most).await;
            for queue in &self.mute {
                let Ok(Ok(channel)) = timeout(options.connect_timeout, connection.create_channel()).await else {
                    continue;
                };
                let asking = async {
                    channel.basic_qos(1, BasicQosOptions::default()).await?;
                    consume(&channel, queue.clone()).await
                };
                let answered = timeout(options.connect_timeout, asking).await;
                let _ = channel.close(200, "OK".into()).now_or_never();
                if matches!(answered, Ok(Ok(_))) {
                    return;
                }
            }
        }
    }

    /// A queue of this consumer's own for ended runs, which ends with it.
    async fn tail(&self, channel: &Channel) -> lapin::Result<Consumer> {
        let options = QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
        let queue = channel.queue_declare(ShortString::default(), options, Names::tail_arguments()).await?;
        let name = queue.name().clone();
        let exchange = self.plan.names.run_finished().clone();
        channel
            .queue_bind(name.clone(), exchange, "#".into(), QueueBindOptions::default(), FieldTable::default())
            .await?;
        consume(channel, name).await
    }
}

async fn consume(channel: &Channel, queue: ShortString) -> lapin::Result<Consumer> {
    let (options, none) = (BasicConsumeOptions::default(), FieldTable::default());
    channel.basic_consume(queue, ShortString::default(), options, none).await
}
