//! What a role stands on in a test.

use std::path::Path;

use patchbay_runtime::{Clock, Shutdown, Tasks, telemetry::Metrics};
use patchbay_service::Ground;
use patchbay_store::Engine;

use crate::{
    broker,
    services::{BrokerKind, broker_kind, store_url},
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
#[expect(clippy::expect_used, reason = "tests say by panic what went wrong")]
pub async fn ground(folder: &Path) -> Ground {
    let engine =
        Engine::open(&store_url(folder), &patchbay_store::Options::default()).await.expect("the database opens");
    let tasks = Tasks::new(Shutdown::default());
    let metrics = Metrics::default();
    let broker = match broker_kind() {
        BrokerKind::Embedded => broker::embedded(folder).await,
        BrokerKind::RabbitMq => broker::rabbitmq(folder, &tasks, &metrics).await,
    };
    Ground { clock: Clock::system(), tasks, metrics, engine, broker, reserve: None }
}
