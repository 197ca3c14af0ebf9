//! What the roles stand on: the data directory, the keys, the sockets, the database and the broker.

use std::sync::Arc;

use anyhow::Context;
use patchbay_broker::embedded::{Embedded, Options};
use patchbay_egress::{AllowRule, Egress};
use patchbay_runtime::{Clock, DataDirectory, Tasks, telemetry::Metrics};
use patchbay_service::Ground;
use patchbay_vault::KeyRing;
use rustix::process::{Resource, getrlimit, setrlimit};

use super::{listeners::Listeners, roles::Outfit};
use crate::{cli::Up, config::Config, database};

const KEY_FILE: &str = "master.keys";

/// Everything that is there before the first role.
pub(super) struct Foundation {
    /// Locked as long as this lives.
    pub(super) directory: DataDirectory,
    pub(super) listeners: Listeners,
    pub(super) outfit: Outfit,
    pub(super) ground: Ground,
}

/// Takes the data directory first, so that a second process touches nothing.
pub(super) async fn lay(options: &Up, config: &Config, tasks: &Tasks) -> anyhow::Result<Foundation> {
    raise_descriptor_limit();
    let directory = DataDirectory::open(&options.sources.data_dir, config.storage.reserve_bytes)?;
    let keys = keys(config, &directory)?;
    let listeners = Listeners::bind(options).await?;
    let egress = egress(config, &listeners)?;
    let catalog = patchbay_connector::builtin().context("connectors can't be read")?;
    let engine = database::open(config).await?;
    let broker = Embedded::open(broker(config)?).await.context("broker can't be opened")?;
    let ground = Ground {
        clock: Clock::system(),
        tasks: tasks.clone(),
        metrics: Metrics::default(),
        engine,
        broker,
        reserve: Some(directory.reserve().clone()),
    };
    let outfit = Outfit { keys, catalog: Arc::new(catalog), egress, public: listeners.addresses.public };
    Ok(Foundation { directory, listeners, outfit, ground })
}

fn keys(config: &Config, directory: &DataDirectory) -> anyhow::Result<KeyRing> {
    if config.vault.master_keys.is_empty() {
        return KeyRing::load_or_create(&directory.path().join(KEY_FILE)).context("master keys can't be had");
    }
    KeyRing::new(config.vault.master_keys.clone()).context("vault.master_keys can't be used")
}

/// The client for partners. In a demo it reaches the sandbox too, and nothing else of this machine.
fn egress(config: &Config, listeners: &Listeners) -> anyhow::Result<Egress> {
    let mut options = config.egress.options();
    if let Some(sandbox) = listeners.addresses.sandbox {
        let rule: AllowRule = sandbox.to_string().parse().context("sandbox can't be allowed")?;
        options.allow_private.push(rule);
    }
    Egress::new(options).context("calls to partners can't be set up")
}

fn broker(config: &Config) -> anyhow::Result<Options> {
    let mut options = Options::new(config.broker.directory()?);
    options.segment_bytes = config.broker.segment_bytes;
    options.max_bytes = config.broker.max_bytes;
    options.memory_bytes = config.broker.memory_bytes;
    options.reserve_bytes = config.broker.free_bytes;
    Ok(options)
}

/// Shells allow few open files; every connection is one.
fn raise_descriptor_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!(%error, "limit of open files stays as it is");
    }
}
