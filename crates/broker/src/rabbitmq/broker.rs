//! RabbitMQ as its users see it.

use std::fmt::{self, Debug, Formatter};
use std::future::Future;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use patchbay_proto::Topic;
use patchbay_runtime::telemetry::Metrics;
use patchbay_runtime::{Shutdown, Tasks};
use prometheus_client::metrics::counter::Counter;
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use super::address::Address;
use super::consumer::RabbitConsumer;
use super::link::{Link, Plan};
use super::names::Names;
use super::options::Options;
use super::prober::{self, Counts};
use super::publisher::Publisher;
use super::session::Session;
use super::shelf::Shelf;
use super::tls::Tls;
use crate::{Broker, Consumer, Error, Message, Progress, PublishError};

/// A broker that many processes share.
///
/// What its progress says is counted about twice a second while somebody asks. The age of the oldest message is the time
/// since none was seen waiting, which is at least the true one. `unacknowledged` counts the consumers of this process only.
///
/// A message that a consumer prefetched and has not received is not seen by others. When the owner of a consumer settles
/// nothing with a full prefetch, that lasts for at most [`Options::stuck_after`].
pub struct RabbitMq {
    plan: Arc<Plan>,
    tasks: Tasks,
    publisher: Publisher,
    publishing: Arc<Link>,
    /// Made when somebody consumes or looks at the progress.
    consuming: OnceLock<Arc<Link>>,
    counts: Arc<Counts>,
    recycled: Counter,
    /// Ends the connections, after the tasks that use them.
    done: Shutdown,
    /// Each task that uses a connection has a receiver of the first, each connection one of the second.
    workers: watch::Sender<()>,
    links: watch::Sender<()>,
}

impl RabbitMq {
    /// Connects, or begins to try.
    ///
    /// # Errors
    /// For what waiting does not heal: an address that can't be read, a user, password, virtual host or permission that the
    /// broker refuses, a certificate that proves nothing, a queue that exists with other arguments. A broker that can't be reached is no error:
    /// [`health`](Broker::health) tells of it until it can.
    pub async fn open(options: Options, tasks: Tasks, metrics: &Metrics) -> Result<Arc<Self>, Error> {
        let counter = |name: &str, help: &str| metrics.register(name, help, Counter::default());
        let reconnections = counter("broker_connections_lost", "Connections to the broker that ended by themselves");
        let recycled =
            counter("broker_consumers_recycled", "Channels of consumers that were given up because nothing moved");
        let (address, names) = (Address::parse(&options)?, Names::new(&options)?);
        let tls = Tls::new(&options, &address)?;
        let plan = Arc::new(Plan { options, address, tls, names, reconnections, closing: Shutdown::default() });
        let publishing = Link::new(Arc::clone(&plan), "publishing");
        publishing.connect_first().await?;
        let (publisher, sender) = Publisher::new(Arc::clone(&plan), publishing.state());
        let broker = Arc::new(Self {
            plan,
            tasks,
            publisher,
            publishing: Arc::clone(&publishing),
            consuming: OnceLock::new(),
            counts: Arc::default(),
            recycled,
            done: Shutdown::default(),
            workers: watch::Sender::new(()),
            links: watch::Sender::new(()),
        });
        broker.spawn("broker-publishing", broker.workers.subscribe(), sender.run());
        broker.spawn("broker-connection", broker.links.subscribe(), publishing.keep(broker.done.clone()));
        Ok(broker)
    }

    fn spawn(&self, name: &'static str, alive: watch::Receiver<()>, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(name, async move {
            work.await;
            drop(alive);
        });
    }

    fn consuming(&self) -> &Arc<Link> {
        self.consuming.get_or_init(|| {
            let link = Link::new(Arc::clone(&self.plan), "consuming");
            let probing = prober::run(Arc::clone(&self.plan), link.state(), Arc::clone(&self.counts));
            self.spawn("broker-counting", self.workers.subscribe(), probing);
            self.spawn("broker-connection", self.links.subscribe(), Arc::clone(&link).keep(self.done.clone()));
            link
        })
    }
}

#[async_trait]
impl Broker for RabbitMq {
    async fn publish(&self, topic: Topic, messages: Vec<Message>) -> Result<(), PublishError> {
        self.publisher.publish(topic, messages).await
    }

    /// Waits for the first try to subscribe, but not for a broker that can't be reached: the consumer goes on by itself.
    async fn subscribe(&self, topic: Topic, prefetch: usize) -> Result<Box<dyn Consumer>, Error> {
        if self.plan.closing.has_begun() {
            return Err(Error::Closed);
        }
        let sources = self.plan.names.sources(topic, prefetch);
        let make = |received| Arc::new(Shelf::new(topic, prefetch, sources.len(), received));
        let shelf = self.counts.join(topic, make).ok_or(Error::Closed)?;
        let (first, went) = oneshot::channel();
        let session = Session {
            plan: Arc::clone(&self.plan),
            link: self.consuming().state(),
            shelf: Arc::clone(&shelf),
            sources,
            mute: Vec::new(),
            first: Some(first),
            recycled: self.recycled.clone(),
        };
        let consumer = RabbitConsumer { shelf };
        self.spawn("broker-consumer", self.workers.subscribe(), session.run());
        if let Ok(Ok(Err(error))) = timeout(self.plan.options.connect_timeout, went).await {
            return Err(error);
        }
        Ok(Box::new(consumer))
    }

    fn progress(&self, topic: Topic) -> Progress {
        if !self.plan.closing.has_begun() {
            self.consuming();
        }
        self.counts.progress(topic)
    }

    fn health(&self) -> Result<(), String> {
        if self.plan.closing.has_begun() {
            return Err("it is closed".to_owned());
        }
        self.publishing.health()?;
        self.publisher.health()?;
        self.consuming.get().map_or(Ok(()), |link| link.health())?;
        self.counts.problems().into_iter().next().map_or(Ok(()), Err)
    }

    async fn close(&self) {
        self.publisher.close();
        self.plan.closing.begin();
        // Each has deadlines of its own.
        self.workers.closed().await;
        self.done.begin();
        self.links.closed().await;
    }
}

impl Drop for RabbitMq {
    fn drop(&mut self) {
        self.publisher.close();
        self.plan.closing.begin();
        self.done.begin();
    }
}

impl Debug for RabbitMq {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RabbitMq").field("at", &self.plan.address).finish_non_exhaustive()
    }
}
