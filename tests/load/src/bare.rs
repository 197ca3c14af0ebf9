//! The bare pipeline: the durable steps of an event and nothing else, as fast as they go.
//!
//! HTTP server → publish with confirm on the log → `200 OK`; consume → decode → batched claim with payload → acknowledge →
//! HTTP call with five mapped fields → batched outcome. Every stage runs beside the others, and what is between claim and
//! outcome is bounded.
//!
//! The log is the embedded one, or a quorum queue by the plain client, not by our adapter, which does more. The tables
//! are in SQLite, or in PostgreSQL with one statement a transaction and two transactions of a kind at once.

mod calls;
mod intake;
mod log;
mod order;
mod tables;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use patchbay_egress::Egress;
use patchbay_runtime::{Shutdown, Tasks};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, Semaphore, mpsc};

use self::calls::Caller;
use self::log::Log;
use self::tables::Tables;
use crate::options::Bare;
use crate::process::{end_with_parent, say_ready};

/// Events between claim and outcome.
const IN_FLIGHT: usize = 1024;
/// A claim waits for this many free places, so that claims stay large when the system is full.
const PLACES_FOR_A_CLAIM: u32 = 128;
/// Rows a transaction.
const BATCH: usize = 256;

pub(crate) fn run(options: &Bare) -> Result<ExitCode> {
    end_with_parent()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("build a runtime")?;
    runtime.block_on(serve(options))
}

async fn serve(options: &Bare) -> Result<ExitCode> {
    let tasks = Tasks::new(Shutdown::default());
    let log = Log::open(options).await?;
    let tables = Arc::new(Tables::open(options).await?);
    let egress = Egress::new(patchbay_egress::Options {
        allow_private: vec![options.stub.to_string().parse()?],
        max_idle_per_host: IN_FLIGHT,
        ..patchbay_egress::Options::default()
    })?;
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.context("listen")?;

    let (outcomes, done) = mpsc::channel(IN_FLIGHT);
    let caller = Arc::new(Caller::new(egress, options.stub, outcomes));
    let in_flight = Arc::new(Semaphore::new(IN_FLIGHT));
    let done = Arc::new(Mutex::new(done));
    for _ in 0..tables.lanes() {
        let reader = log.subscribe().await?;
        let (tables, caller, in_flight) = (Arc::clone(&tables), Arc::clone(&caller), Arc::clone(&in_flight));
        watched(&tasks, "settler", tables::settle(Arc::clone(&tables), Arc::clone(&done)));
        watched(&tasks, "claimer", calls::claim(reader, tables, caller, in_flight, tasks.clone()));
    }

    say_ready(listener.local_addr()?);
    if let Some(ended) = tasks.shutdown().or(intake::serve(listener, log, &tasks)).await {
        ended?;
    }
    bail!("a stage ended")
}

/// A stage that must not end: when it does, it says why and all end.
fn watched(tasks: &Tasks, name: &'static str, stage: impl Future<Output = Result<()>> + Send + 'static) {
    let shutdown = tasks.shutdown().clone();
    tasks.spawn(name, async move {
        if let Err(error) = stage.await {
            eprintln!("{name}: {error:#}");
        }
        shutdown.begin();
    });
}

/// A call that must succeed: when it does not, it says why and all end.
fn watched_call(tasks: &Tasks, call: impl Future<Output = Result<()>> + Send + 'static) {
    let shutdown = tasks.shutdown().clone();
    tasks.spawn("call", async move {
        if let Err(error) = call.await {
            eprintln!("call: {error:#}");
            shutdown.begin();
        }
    });
}
