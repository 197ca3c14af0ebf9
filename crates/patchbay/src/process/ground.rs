//! What the roles stand on: the database and the broker, whether they are there already or come later.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use patchbay_broker::{Broker, embedded::Embedded, rabbitmq::RabbitMq};
use patchbay_runtime::{Clock, Tasks, data_directory::Reserve, telemetry::Metrics};
use patchbay_service::{Check, Ground};
use patchbay_store::{Engine, Probe, Schema};
use tokio::sync::mpsc;

use super::{
    board::{Board, Verdict},
    database::look_after,
    roles::Need,
};
use crate::{
    config::{Config, Queue},
    database,
};

const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What a process has before it lays the ground.
pub(super) struct Base<'process> {
    pub(super) config: &'process Config,
    pub(super) tasks: &'process Tasks,
    pub(super) metrics: &'process Metrics,
    pub(super) board: &'process Board,
    pub(super) reserve: Option<Reserve>,
    pub(super) schema: Schema,
    /// Whether a role of this process has tables.
    pub(super) has_tables: bool,
    pub(super) alarm: mpsc::Sender<anyhow::Error>,
}

/// The ground, and what is known of it.
pub(super) struct Laid {
    pub(super) ground: Ground,
    /// Those of the broker end after all others, which use it.
    pub(super) broker_tasks: Tasks,
    database: Option<Verdict>,
}

impl Laid {
    /// Returns when what is needed is there.
    pub(super) async fn wait_for(&self, need: Need) {
        while self.lacks(need).is_some() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Why what is needed is not there.
    pub(super) fn lacks(&self, need: Need) -> Option<String> {
        match need {
            Need::Database => self.database.as_ref().and_then(|verdict| verdict.get().err()),
            Need::Broker => self.ground.broker.health().err(),
        }
    }
}

/// A database or broker of this machine is opened at once; those that are servers may come later.
pub(super) async fn lay(base: Base<'_>) -> anyhow::Result<Laid> {
    let (engine, database) = engine(&base).await?;
    let broker_tasks = Tasks::new(base.tasks.shutdown().clone());
    let broker: Arc<dyn Broker> = match base.config.broker.queue()? {
        Queue::Embedded(options) => Embedded::open(options).await.context("broker can't be opened")?,
        Queue::RabbitMq(options) => {
            let opened = RabbitMq::open(options, broker_tasks.clone(), base.metrics).await;
            opened.context("broker can't be used\nhint: see `broker.url`")?
        }
    };
    let probed = Arc::clone(&broker);
    base.board.add(Check::new("broker", move || probed.health()));
    let ground = Ground {
        clock: Clock::system(),
        tasks: base.tasks.clone(),
        metrics: base.metrics.clone(),
        engine,
        broker,
        reserve: base.reserve,
    };
    Ok(Laid { ground, broker_tasks, database })
}

async fn engine(base: &Base<'_>) -> anyhow::Result<(Engine, Option<Verdict>)> {
    let store = &base.config.store;
    if store.file().is_some() {
        return Ok((database::open(base.config, base.schema).await?, None));
    }
    let wrong = "store.url can't be used";
    let engine = Engine::later(&store.url, &store.options(base.schema)).context(wrong)?;
    // Who has no tables goes on without a database.
    if !base.has_tables {
        return Ok((engine, None));
    }
    let probe = Probe::new(&store.url, store.patience).context(wrong)?;
    let verdict = Verdict::new("not looked at yet");
    base.board.add(verdict.check("database"));
    let shutdown = base.tasks.shutdown().clone();
    base.tasks.spawn("database probe", look_after(probe, verdict.clone(), base.alarm.clone(), shutdown));
    Ok((engine, Some(verdict)))
}
