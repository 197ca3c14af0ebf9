//! The command `up`: every role in this process.

mod demo;
mod ground;
pub(crate) mod listeners;
mod ready;
mod roles;
mod serve;

use std::{net::SocketAddr, path::Path, time::Duration};

use anyhow::{Context, anyhow};
use patchbay_runtime::{Shutdown, Tasks, data_directory::Reserve, telemetry};
use patchbay_sandbox::Sandbox;
use patchbay_service::{Check, Ground, admin};
use tokio::net::TcpListener;

use self::{
    demo::{Owners, Place},
    ground::Foundation,
    listeners::Listeners,
    roles::{Outfit, Roles},
};
use crate::{
    cli::Up,
    config::{Config, LogFormat},
    failure::Failure,
    output,
    signals::Signals,
};

/// How long threads that can't be told to end are waited for.
const LAST_WAIT: Duration = Duration::from_secs(1);
/// How long the roles may take to become ready after they were installed.
const READY_PATIENCE: Duration = Duration::from_secs(10);
const READY_POLL: Duration = Duration::from_millis(2);
const RESERVE_EVERY: Duration = Duration::from_secs(1);

/// Runs until a signal, or until a part fails.
pub(crate) fn run(options: Up) -> Result<(), Failure> {
    let config = Config::load(&options.sources)?;
    listeners::check(&options)?;
    let format = options.log_format.unwrap_or(config.log.format);
    telemetry::start_logging(format.into(), &config.log.filter).map_err(Failure::usage)?;
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if config.runtime.worker_threads > 0 {
        builder.worker_threads(config.runtime.worker_threads);
    }
    let runtime = builder.enable_all().build().context("threads can't be started")?;
    let outcome = runtime.block_on(Box::pin(live(&options, &config, format)));
    runtime.shutdown_timeout(LAST_WAIT);
    Ok(outcome?)
}

async fn live(options: &Up, config: &Config, format: LogFormat) -> anyhow::Result<()> {
    let mut signals = Signals::listen()?;
    let tasks = Tasks::new(Shutdown::default());
    let Foundation { directory, listeners, outfit, ground } = ground::lay(options, config, &tasks).await?;
    let started = tokio::select! {
        started = start(&ground, config, listeners, outfit, format, directory.path()) => started,
        () = signals.next() => {
            tasks.shutdown().begin();
            Ok(())
        }
    };
    if started.is_ok() {
        tokio::select! {
            () = tasks.shutdown().begun() => {}
            () = signals.next() => tracing::info!("shutdown begins"),
        }
    }
    let closed = tokio::select! {
        closed = close(&ground, config.shutdown.drain) => closed,
        () = signals.next() => Err(anyhow!("a second signal ended the process before everything had ended")),
    };
    drop(directory);
    started.and(closed)
}

/// Installs the roles, serves them when they are ready, and says so.
async fn start(
    ground: &Ground,
    config: &Config,
    listeners: Listeners,
    outfit: Outfit,
    format: LogFormat,
    data_directory: &Path,
) -> anyhow::Result<()> {
    let Listeners { public, grpc, admin, sandbox, addresses } = listeners;
    let Roles { public: router, checks, connection, automation } = roles::install(ground, config, outfit).await?;
    let partners = Sandbox::new();
    let demo = match addresses.sandbox {
        Some(sandbox) => {
            let place = Place { base: base_url(config, addresses.public), sandbox, data_directory };
            Some(demo::prepare(ground, Owners { connection, automation }, place, &partners).await?)
        }
        None => None,
    };
    await_ready(&checks).await;

    let (tasks, shutdown) = (&ground.tasks, ground.tasks.shutdown());
    // Half of the time is for requests, so that what they began can end in the other half.
    let grace = config.shutdown.drain / 2;
    let admin_router = admin::router(ground.metrics.clone(), checks, shutdown.clone());
    tasks.spawn("admin listener", serve::http(admin, admin_router, shutdown.clone(), grace));
    tasks.spawn("gRPC listener", serve::grpc(grpc, shutdown.clone(), grace));
    tasks.spawn("public listener", serve::http(public, router, shutdown.clone(), grace));
    if let Some(listener) = sandbox {
        tasks.spawn("sandbox", serve_sandbox(partners, listener, shutdown.clone()));
    }
    if let Some(reserve) = ground.reserve.clone() {
        tasks.spawn("disk reserve", keep_reserve(reserve, shutdown.clone()));
    }
    // Nobody waits for the line: it runs all the same.
    let _ = output::print(&ready::line(format, &addresses, demo.as_ref()));
    Ok(())
}

/// Ends everything in order: those who accept and run, then what they stand on.
async fn close(ground: &Ground, drain: Duration) -> anyhow::Result<()> {
    ground.tasks.shutdown().begin();
    let ended = ground.tasks.join(drain).await;
    ground.broker.close().await;
    ground.engine.close().await;
    if let Some(task) = ground.tasks.failed() {
        return Err(anyhow!("task `{task}` failed; the log says why"));
    }
    if !ended {
        return Err(anyhow!("not everything ended within {drain:?}\nhint: see `shutdown.drain`; nothing is lost"));
    }
    Ok(())
}

/// The base of hook URLs.
fn base_url(config: &Config, public: SocketAddr) -> String {
    let url = config.gateway().or_listening_on(public).public_url.unwrap_or_default();
    url.trim_end_matches('/').to_owned()
}

/// Waits until all conditions of readiness hold. After a while it goes on all the same: `/readyz` says what is wrong.
async fn await_ready(checks: &[Check]) {
    let all_hold = async {
        while !checks.iter().all(|check| check.holds().is_ok()) {
            tokio::time::sleep(READY_POLL).await;
        }
    };
    if tokio::time::timeout(READY_PATIENCE, all_hold).await.is_err() {
        for check in checks {
            if let Err(reason) = check.holds() {
                tracing::warn!(check = check.name(), reason, "not ready yet");
            }
        }
    }
}

async fn serve_sandbox(sandbox: Sandbox, listener: TcpListener, shutdown: Shutdown) {
    let begun = shutdown.clone();
    if let Err(error) = sandbox.serve(listener, async move { begun.begun().await }).await {
        tracing::error!(%error, "sandbox can't be served any longer, shutting down");
        shutdown.begin();
    }
}

/// Takes the reserve back as soon as there is room again.
async fn keep_reserve(reserve: Reserve, shutdown: Shutdown) {
    while shutdown.or(tokio::time::sleep(RESERVE_EVERY)).await.is_some() {
        let reserve = reserve.clone();
        if reserve.is_spent() && tokio::task::spawn_blocking(move || reserve.restore()).await.unwrap_or(false) {
            tracing::info!("disk reserve is there again");
        }
    }
}
