//! A process that serves roles: what the commands `up` and `serve` have in common.
//!
//! The listeners are bound first, and answer while the roles come: as soon as what each needs is there.

mod board;
mod database;
mod door;
mod ground;
mod http;
mod installation;
mod life;
pub(crate) mod listeners;
mod ready;
pub(crate) mod roles;
mod system;

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, anyhow};
use patchbay_runtime::{DataDirectory, Shutdown, Tasks, telemetry};
use patchbay_service::{Role, access::Access, peer::Address};
use patchbay_store::Schema;
use tokio::sync::mpsc;

use self::{ground::Laid, life::Life, listeners::Listeners, roles::recipe};
use crate::{
    cli::Listen,
    config::{self, Config, LogFormat},
    failure::Failure,
    signals::Signals,
};

/// How long threads that can't be told to end are waited for.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// What a process is to be. Everything in it was checked.
pub(crate) struct Plan {
    /// In the order of `Role::ALL`.
    pub(crate) roles: Vec<Role>,
    pub(crate) config: Arc<Config>,
    pub(crate) format: LogFormat,
    pub(crate) listen: Listen,
    /// What happens to tables that are not up to date.
    pub(crate) schema: Schema,
    /// The data directory, of a process that has one.
    pub(crate) home: Option<PathBuf>,
    /// How other processes are reached and reach this one, where there are others.
    pub(crate) mesh: Option<Mesh>,
    /// Where the sandbox of a demo is to listen.
    pub(crate) sandbox: Option<SocketAddr>,
}

/// The other processes.
pub(crate) struct Mesh {
    pub(crate) access: Access,
    /// Roles that run elsewhere, and where.
    pub(crate) peers: Vec<(Role, Address)>,
}

/// Runs until a signal, or until a part fails.
pub(crate) fn run(plan: Plan) -> Result<(), Failure> {
    // The client library of RabbitMQ logs what it can't deliver, bodies and all, and at its finest how it logs in.
    let filter = format!("{},lapin=off", plan.config.log.filter);
    telemetry::start_logging(plan.format.into(), &filter).map_err(Failure::usage)?;
    system::keep_pages_small();
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if plan.config.runtime.worker_threads > 0 {
        builder.worker_threads(plan.config.runtime.worker_threads);
    }
    let runtime = builder.enable_all().build().context("threads can't be started")?;
    let outcome = runtime.block_on(Box::pin(live(plan)));
    runtime.shutdown_timeout(LAST_WAIT);
    Ok(outcome?)
}

async fn live(plan: Plan) -> anyhow::Result<()> {
    let mut signals = Signals::listen()?;
    system::raise_descriptor_limit();
    let config::Shutdown { linger, drain } = plan.config.shutdown;
    let tasks = Tasks::new(Shutdown::default());
    // What is served until everything else has ended.
    let last = Tasks::new(Shutdown::default());
    let leaving = tasks.shutdown().child();
    // First of all, so that a second process touches nothing.
    let reserve_bytes = plan.config.storage.reserve_bytes;
    let home = plan.home.as_deref().map(|path| DataDirectory::open(path, reserve_bytes)).transpose()?;
    let grpc_tls = plan.mesh.as_ref().is_some_and(|mesh| mesh.access.tls.is_some());
    let is_public = plan.roles.iter().any(|role| recipe(*role).is_public);
    let listeners = Listeners::bind(plan.listen, is_public, grpc_tls, plan.sandbox).await?;

    let (alarm, mut alarmed) = mpsc::channel(1);
    let mut life = Life::new(plan, listeners.addresses, &tasks, leaving.clone());
    let sandbox = life.serve(listeners, &last);
    let started = tokio::select! {
        started = Box::pin(life.start(home.as_ref(), sandbox, alarm)) => started,
        Some(error) = alarmed.recv() => Err(error),
        () = signals.next() => {
            tasks.shutdown().begin();
            Ok(())
        }
    };
    if started.is_ok() {
        tokio::select! {
            () = tasks.shutdown().begun() => {}
            () = signals.next() => {
                leaving.begin();
                tracing::info!(?linger, "shutdown begins");
                tokio::select! {
                    () = tokio::time::sleep(linger) => {}
                    () = tasks.shutdown().begun() => {}
                    () = signals.next() => {}
                }
            }
        }
    }
    let closed = tokio::select! {
        closed = close(&tasks, life.laid(), drain) => closed,
        () = signals.next() => Err(anyhow!("a second signal ended the process before everything had ended")),
    };
    last.shutdown().begin();
    last.join(LAST_WAIT).await;
    drop(home);
    started.and(closed)
}

/// Ends everything in order: those who accept and run, then what they stand on.
async fn close(tasks: &Tasks, laid: Option<&Laid>, drain: Duration) -> anyhow::Result<()> {
    tasks.shutdown().begin();
    let mut ended = tasks.join(drain).await;
    let mut failed = tasks.failed();
    if let Some(Laid { ground, broker_tasks, .. }) = laid {
        ground.broker.close().await;
        ended &= broker_tasks.join(LAST_WAIT).await;
        failed = failed.or_else(|| broker_tasks.failed());
        ground.engine.close().await;
    }
    if let Some(task) = failed {
        return Err(anyhow!("task `{task}` failed; the log says why"));
    }
    if !ended {
        return Err(anyhow!("not everything ended within {drain:?}\nhint: see `shutdown.drain`; nothing is lost"));
    }
    Ok(())
}
