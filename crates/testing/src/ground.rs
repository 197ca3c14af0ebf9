//! What a role stands on in a test.

use std::path::Path;

use patchbay_runtime::{Clock, Shutdown, Tasks, telemetry::Metrics};
use patchbay_service::Ground;
use patchbay_store::Engine;

use crate::{
    broker,
    proxy::Proxy,
    services::{BrokerKind, amqp_in, broker_kind, store_url},
};

/// A ground that belongs to `folder`, so that a test may open the same database and broker again. Close the engine and
/// the broker, or drop everything, before that.
///
/// On SQLite and the embedded broker they are files: `patchbay.db` and `broker/`. On servers they are a schema and a
/// prefix, whose names are written down in the folder.
///
/// # Panics
/// When they can't be made or opened.
#[must_use]
pub async fn ground(folder: &Path) -> Ground {
    let amqp = (broker_kind() == BrokerKind::RabbitMq).then(|| amqp_in(folder));
    lay(folder, amqp).await
}

/// The same, and a proxy before its server of messages: connections to that outlive the runtime that they were made on,
/// so drop the proxy where a process would die.
///
/// # Panics
/// Those of [`ground`].
#[must_use]
pub async fn mortal_ground(folder: &Path) -> (Ground, Option<Proxy>) {
    if broker_kind() == BrokerKind::Embedded {
        return (lay(folder, None).await, None);
    }
    let (url, prefix) = amqp_in(folder);
    let (proxy, url) = Proxy::before(&url);
    (lay(folder, Some((url, prefix))).await, Some(proxy))
}

/// With the embedded broker, or with queues at an address and with a prefix. The broker's tasks are apart, as in a process:
/// those of a role end before it is closed.
#[expect(clippy::expect_used, reason = "tests say by panic what went wrong")]
async fn lay(folder: &Path, amqp: Option<(String, String)>) -> Ground {
    let engine =
        Engine::open(&store_url(folder), &patchbay_store::Options::default()).await.expect("the database opens");
    let (tasks, broker_tasks) = (Tasks::new(Shutdown::default()), Tasks::new(Shutdown::default()));
    let metrics = Metrics::default();
    let broker = match amqp {
        None => broker::embedded(folder).await,
        Some((url, prefix)) => broker::rabbitmq(url, prefix, &broker_tasks, &metrics).await,
    };
    Ground { clock: Clock::system(), tasks, metrics, engine, broker, reserve: None }
}
