//! The brokers that a ground may have.

use std::{path::Path, sync::Arc};

use patchbay_broker::{Broker, embedded, embedded::Embedded, rabbitmq, rabbitmq::RabbitMq};
use patchbay_runtime::{Tasks, telemetry::Metrics};

/// The broker whose files are in `folder`.
#[expect(clippy::expect_used, reason = "tests say by panic what went wrong")]
pub(crate) async fn embedded(folder: &Path) -> Arc<dyn Broker> {
    Embedded::open(embedded::Options::new(folder.join("broker"))).await.expect("the broker opens")
}

/// The queues with this prefix.
#[expect(clippy::expect_used, reason = "tests say by panic what went wrong")]
pub(crate) async fn rabbitmq(url: String, prefix: String, tasks: &Tasks, metrics: &Metrics) -> Arc<dyn Broker> {
    let options = rabbitmq::Options { prefix, ..rabbitmq::Options::new(url) };
    RabbitMq::open(options, tasks.clone(), metrics).await.expect("the broker opens")
}
