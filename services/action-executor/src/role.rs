//! Wiring.

use std::{sync::Arc, time::Duration};

use patchbay_connector::Catalog;
use patchbay_egress::Egress;
use patchbay_proto::{Route, Topic, executor::v1::run_service_server::RunServiceServer};
use patchbay_runtime::Shutdown;
use patchbay_service::{Check, Ground, Installed, credentials::Credentials};
use tonic::service::Routes;

use crate::{
    cap,
    config::{Config, Retention},
    definitions::Definitions,
    error::Error,
    executor::Executor,
    gate::{Gates, Rules},
    grpc::RunGrpc,
    intake::Intake,
    lease::Lease,
    letters,
    slots::Slots,
    store::Store,
    telemetry::Telemetry,
    tell::teller,
    wake, workers,
    writer::writer,
};

/// How long the owners of definitions may be away before this process counts as one that makes no progress.
const UNREADABLE: Duration = Duration::from_secs(2);

/// Builds the role and starts its tasks.
///
/// # Errors
/// When a setting is wrong, its tables can't be opened or its topic can't be read.
pub async fn install(
    ground: &Ground,
    config: Config,
    retention: Retention,
    catalog: Arc<Catalog>,
    egress: Egress,
    automation: Route,
    connection: Route,
) -> Result<Installed, Error> {
    check(&config)?;
    let store = Store::open(ground.engine.clone()).await?;
    let telemetry = Arc::new(Telemetry::new(&ground.metrics));
    let (teller, teller_task) = teller();
    let (writer, writer_task) =
        writer(store.clone(), ground.clock.clone(), ground.reserve.clone(), teller.clone(), Arc::clone(&telemetry));
    let rules = Rules {
        failures: config.circuit_failures,
        wait: config.circuit_wait,
        wait_most: config.circuit_wait_most,
        // One connection must leave room for the others.
        most: u32::try_from(config.in_flight / 2).unwrap_or(u32::MAX).max(1),
    };
    let gates = Arc::new(Gates::new(rules));
    let delays = config.retry_delays.clone();
    let executor = Arc::new(Executor {
        definitions: Definitions::new(
            automation,
            connection.clone(),
            catalog,
            delays,
            Arc::clone(&gates),
            ground.clock.clone(),
        ),
        credentials: Credentials::new(connection, ground.clock.clone(), config.credential_hold),
        slots: Slots::new(config.in_flight, config.in_flight_bytes),
        lease: Lease::new(config.lease, ground.clock.clone()),
        clock: ground.clock.clone(),
        tasks: ground.tasks.clone(),
        broker: Arc::clone(&ground.broker),
        reserve: ground.reserve.clone(),
        config,
        retention,
        store,
        writer,
        gates,
        egress,
        telemetry,
    });
    begin_lease(&executor).await?;
    let consumer = ground.broker.subscribe(Topic::TriggerFired, executor.config.in_flight).await?;
    let letters = ground.broker.subscribe(Topic::DeadLetter, letters::BATCH).await?;
    // What writes and tells outlives what runs: it ends when the last run is out of memory.
    let drained = Shutdown::default();
    ground.tasks.spawn("executor writer", writer_task.run(drained.clone()));
    let telling = teller_task.run(Arc::clone(&ground.broker), executor.writer.clone(), drained.clone());
    ground.tasks.spawn("executor teller", telling);
    ground.tasks.spawn("executor lease", workers::keep_lease(Arc::clone(&executor), drained.clone()));
    ground.tasks.spawn("executor intake", Intake::new(Arc::clone(&executor), consumer).run());
    ground.tasks.spawn("executor dead letters", letters::keep(Arc::clone(&executor), letters));
    ground.tasks.spawn("executor wake", wake::wake(Arc::clone(&executor)));
    ground.tasks.spawn("executor retell", workers::retell(Arc::clone(&executor)));
    ground.tasks.spawn("executor sweep", workers::sweep(Arc::clone(&executor)));
    if let Some(file) = executor.store.file().filter(|_| executor.retention.max_bytes > 0) {
        ground.tasks.spawn("executor cap", cap::keep_below(Arc::clone(&executor), file));
    }
    ground.tasks.spawn("executor drain", drain(Arc::clone(&executor), drained));
    let probe = Arc::clone(&executor);
    let progress = Check::new("executor", move || progress(&probe));
    let services = Routes::new(RunServiceServer::new(RunGrpc::new(executor, teller)));
    Ok(Installed { services: Some(services), http: None, checks: vec![progress] })
}

/// Whether events become runs and runs go on.
fn progress(executor: &Executor) -> Result<(), String> {
    if executor.is_short_of_disk() {
        return Err("disk is full, nothing new is begun".to_owned());
    }
    if executor.lease.remaining(executor.lease.owner()).is_none_or(|left| left.is_zero()) {
        return Err("its lease is over and can't be renewed, nothing new is begun".to_owned());
    }
    match executor.definitions.trouble() {
        Some((length, reason)) if length > UNREADABLE => Err(format!("definitions can't be read: {reason}")),
        _ => executor.writer.health(),
    }
}

/// Whether every value can work.
///
/// # Errors
/// Which can't.
pub fn check(config: &Config) -> Result<(), Error> {
    let wrong = |key, reason: &str| Err(Error::Config { key, reason: reason.to_owned() });
    if config.in_flight < 2 {
        return wrong("in_flight", "expected 2 or more");
    }
    if config.lease.is_zero() {
        return wrong("lease", "expected more than 0s");
    }
    if config.circuit_failures == 0 {
        return wrong("circuit_failures", "expected 1 or more");
    }
    Ok(())
}

async fn begin_lease(executor: &Executor) -> Result<(), Error> {
    let asked = executor.clock.since_boot();
    let (owner, length) = (executor.lease.owner(), executor.lease.length());
    executor.store.begin_incarnation(owner, length, executor.now()).await?;
    executor.lease.renewed(asked);
    Ok(())
}

/// Waits for the runs under way when the end begins, then lets the writer end.
async fn drain(executor: Arc<Executor>, drained: Shutdown) {
    executor.tasks.shutdown().begun().await;
    if tokio::time::timeout(executor.config.drain, executor.slots.empty()).await.is_err() {
        tracing::warn!("some runs did not end in time, the next process takes them over");
    }
    drained.begin();
}
